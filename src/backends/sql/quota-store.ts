import { now } from '../../model/json.ts'
import { type Caps, CAP_NAMES, type Quota, type QuotaState } from '../../model/quotas.ts'
import type { QuotaScope, QuotaStore } from '../access-ports.ts'
import { writeAuditFor } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { type ScopedCaps, limitsOf, parseCaps } from './quota-caps.ts'
import { type Standing, standingsOf } from './quota-standing.ts'
import { type Used, beginCounting, holding } from './quota-used.ts'
import { usageSums } from './usage-sums.ts'

export function createQuotaStore(db: Database): QuotaStore {
  return {
    findQuota: (tenant) => readQuota(db, tenant),

    putQuota(tenant, scope, caps, note) {
      return db.tx(async (t) => {
        // Made first where it is missing, so that there is a row to hold until the end.
        const key = scope.kind === 'skill' ? scope.skill : ''
        await t.query(
          `INSERT INTO quotas (tenant, scope, ceiling, caps) VALUES (?, ?, NULL, NULL)
           ON CONFLICT (tenant, scope) DO UPDATE SET scope = quotas.scope`,
          tenant,
          key,
        )
        const before = await readQuota(t, tenant)
        const column = scope.kind === 'ceiling' ? 'ceiling' : 'caps'
        await t.query(`UPDATE quotas SET ${column} = ? WHERE tenant = ? AND scope = ?`, textOf(caps), tenant, key)
        await t.query(
          'DELETE FROM quotas WHERE tenant = ? AND scope = ? AND ceiling IS NULL AND caps IS NULL',
          tenant,
          key,
        )
        const after = await readQuota(t, tenant)
        const skill = scope.kind === 'skill' ? scope.skill : null
        if (!isCapped(before, skill) && isCapped(after, skill)) await beginCounting(t, tenant, skill, after.zone)
        await writeAuditFor(t, tenant, note, { before: capsOf(before, scope), after: capsOf(after, scope) })
        return after
      })
    },

    async quotaStates(tenant, skill) {
      const quota = await readQuota(db, tenant, skill)
      const scopes: ScopedCaps[] = [
        { skill: null, limits: limitsOf(quota.ceiling, quota.caps) },
        ...quota.skills.map((one) => ({ skill: one.skill, limits: limitsOf(one.caps) })),
      ].filter(({ limits }) => limits.size > 0)
      if (scopes.length === 0) return []
      const { where, values } = scopesWhere(skill)
      const used = await db.query<Used>(`SELECT * FROM quota_used WHERE tenant = ?${where}`, tenant, ...values)
      const rows = new Map(used.map((row) => [row.scope, row]))
      const held = await holding(db, tenant)
      const clock = { zone: quota.zone, at: Date.now() }
      return scopes.map((scope) => {
        const row = rows.get(scope.skill ?? '') ?? null
        return { skill: scope.skill, caps: standingsOf(scope, row, held, clock).map(toState) }
      })
    },

    usage: (tenant, filter) => usageSums(db, tenant, filter),
  }
}

/** @param skill The only one whose caps are wanted. Caps of skills that were deleted hold for nobody. */
async function readQuota(db: Queries, tenant: string, skill?: string): Promise<Quota> {
  const { where, values } = scopesWhere(skill)
  const [known] = await db.query<{ zone: string }>('SELECT zone FROM tenants WHERE id = ?', tenant)
  const rows = await db.query<{ scope: string; ceiling: string | null; caps: string | null }>(
    `SELECT scope, ceiling, caps FROM quotas WHERE tenant = ?${where} AND (scope = '' OR EXISTS (
       SELECT 1 FROM skills WHERE skills.id = quotas.scope AND skills.tenant = quotas.tenant AND skills.deleted_at IS NULL))
     ORDER BY scope`,
    tenant,
    ...values,
  )
  const whole = rows.find(({ scope }) => scope === '')
  return {
    tenant,
    zone: known?.zone ?? 'UTC',
    ceiling: parseCaps(whole?.ceiling ?? null),
    caps: parseCaps(whole?.caps ?? null),
    skills: rows.flatMap(({ scope, caps }) => (scope === '' ? [] : [{ skill: scope, caps: parseCaps(caps) }])),
  }
}

function scopesWhere(skill: string | undefined): { where: string; values: string[] } {
  return skill === undefined ? { where: '', values: [] } : { where: " AND scope IN ('', ?)", values: [skill] }
}

/** Null where nothing is capped. */
function textOf(caps: Caps): string | null {
  const given = CAP_NAMES.flatMap((name) => (typeof caps[name] === 'number' ? [[name, caps[name]] as const] : []))
  return given.length === 0 ? null : JSON.stringify(Object.fromEntries(given))
}

/** @param skill null: the whole tenant. */
function isCapped(quota: Quota, skill: string | null): boolean {
  const caps =
    skill === null
      ? [quota.ceiling, quota.caps]
      : quota.skills.filter((one) => one.skill === skill).map((one) => one.caps)
  return limitsOf(...caps).size > 0
}

/** What of a quota was changed, for the audit log. */
function capsOf(quota: Quota, scope: QuotaScope): object {
  if (scope.kind === 'ceiling') return quota.ceiling
  if (scope.kind === 'tenant') return quota.caps
  return quota.skills.find(({ skill }) => skill === scope.skill)?.caps ?? {}
}

function toState({ cap, limit, used, resets }: Standing): QuotaState['caps'][number] {
  return { cap, limit, used: Math.round(used * 1000) / 1000, resets_at: resets === null ? null : now(resets) }
}
