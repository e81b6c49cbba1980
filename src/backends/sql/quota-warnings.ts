import type { AuditNote } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import { writeAudit } from './audit-log.ts'
import type { Transaction } from './database.ts'
import type { Standing } from './quota-standing.ts'
import type { Used } from './quota-used.ts'

/** Of a cap, from where on its owner is told. */
const SOFT = 0.8

/**
 * Writes `quota.soft_limit` into the audit log for each cap of a scope that is used up to four fifths: once for each period, and again
 * when the cap was changed. Places (`concurrent_runs`) have no period and are not told of.
 */
export async function warn(t: Transaction, tenant: string, used: Used, standings: readonly Standing[]): Promise<void> {
  const close = standings.filter(({ limit, used: amount, period }) => period !== null && amount >= limit * SOFT)
  if (close.length === 0) return
  const known = JSON.parse(used.warned) as string[]
  const fresh = close.filter((standing) => !known.includes(keyOf(standing)))
  if (fresh.length === 0) return
  for (const standing of fresh) await writeAudit(t, noteOfSoftLimit(tenant, standing))
  const kept = known.filter((key) => key.endsWith(` ${used.day}`) || key.endsWith(` ${used.month}`))
  await t.query(
    'UPDATE quota_used SET warned = ? WHERE tenant = ? AND scope = ?',
    JSON.stringify([...kept, ...fresh.map(keyOf)]),
    tenant,
    used.scope,
  )
}

const keyOf = ({ cap, limit, period }: Standing): string => `${cap} ${limit} ${period}`

function noteOfSoftLimit(tenant: string, { cap, skill, limit, used, period, resets }: Standing): AuditNote {
  return {
    tenant,
    actor_kind: 'system',
    actor: 'quotas',
    action: 'quota.soft_limit',
    target_kind: skill === null ? 'tenant' : 'skill',
    target: skill ?? tenant,
    request_id: null,
    client: null,
    detail: { cap, limit, used, period, resets_at: now(resets!) },
  }
}
