import type { Engine } from '../backends/ports.ts'
import type { QuotaScope } from '../backends/access-ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import type { Caps, Quota, QuotaState } from '../model/quotas.ts'
import { type Usage, type UsageQuery, createUsage } from './usage.ts'

/** What holds, and where the tenant and its skills stand. */
export type QuotaView = Quota & { readonly states: QuotaState[] }

/** Caps and usage. Who may do it was decided before. */
export interface QuotasService {
  show(tenant: string): Promise<QuotaView>
  /** Replaces the owner's caps of the tenant. */
  setCaps(caller: Caller, caps: Caps): Promise<QuotaView>
  /** Replaces the caps of a skill, by id or name. @throws SkilletError not_found */
  setSkillCaps(caller: Caller, skill: string, caps: Caps): Promise<QuotaView>
  /** For an operator: of a tenant by id or name. @throws SkilletError not_found */
  showOf(tenant: string): Promise<QuotaView>
  /** Replaces what the operator allows a tenant at most. @throws SkilletError not_found */
  setCeiling(caller: Caller, tenant: string, ceiling: Caps): Promise<QuotaView>
  /** @throws SkilletError not_found, bad_request */
  usage(tenant: string, query: UsageQuery): Promise<Usage>
  /** Where the tenant and the skill stand, for each answer to an invocation; of a tenant without caps it costs nothing. */
  standing(tenant: string, skill: string): Promise<readonly QuotaState[]>
}

/** So long another server's change may go unnoticed by `standing`, in milliseconds. */
const REMEMBERED_MS = 5000
/** So many tenants are remembered. */
const MOST = 10_000

/** What of a tenant has caps, and until when that is believed. */
interface Capped {
  readonly whole: boolean
  readonly skills: ReadonlySet<string>
  readonly until: number
}

export function createQuotasService({
  engine,
}: {
  engine: Pick<Engine, 'quotas' | 'skills' | 'access'>
}): QuotasService {
  const { quotas } = engine
  const remembered = new Map<string, Capped>()

  async function view(quota: Quota): Promise<QuotaView> {
    return { ...quota, states: await quotas.quotaStates(quota.tenant) }
  }

  async function put(caller: Caller, tenant: string, scope: QuotaScope, caps: Caps): Promise<QuotaView> {
    const target = scope.kind === 'skill' ? { kind: 'skill', id: scope.skill } : { kind: 'tenant', id: tenant }
    const note = noteOf(caller, 'quota.update', target, { scope: scope.kind, caps })
    const quota = await quotas.putQuota(tenant, scope, caps, note)
    remembered.delete(tenant)
    return view(quota)
  }

  async function cappedOf(tenant: string): Promise<Capped> {
    const at = performance.now()
    const known = remembered.get(tenant)
    if (known !== undefined && known.until > at) return known
    const { ceiling, caps, skills } = await quotas.findQuota(tenant)
    const whole = Object.keys({ ...ceiling, ...caps }).length > 0
    const capped = { whole, skills: new Set(skills.map(({ skill }) => skill)), until: at + REMEMBERED_MS }
    if (remembered.size >= MOST) remembered.clear()
    remembered.set(tenant, capped)
    return capped
  }

  async function tenantId(idOrName: string): Promise<string> {
    const tenant = await engine.access.findTenant(idOrName)
    if (tenant === null) throw notFound('tenant', idOrName)
    return tenant.id
  }

  return {
    show: async (tenant) => view(await quotas.findQuota(tenant)),
    setCaps: (caller, caps) => put(caller, caller.tenant, { kind: 'tenant' }, caps),

    async setSkillCaps(caller, name, caps) {
      const skill = await engine.skills.findSkill(caller.tenant, name)
      if (skill === null) throw notFound('skill', name)
      return put(caller, caller.tenant, { kind: 'skill', skill: skill.id }, caps)
    },

    showOf: async (tenant) => view(await quotas.findQuota(await tenantId(tenant))),
    setCeiling: async (caller, tenant, ceiling) => put(caller, await tenantId(tenant), { kind: 'ceiling' }, ceiling),
    usage: createUsage(engine),

    async standing(tenant, skill) {
      const { whole, skills } = await cappedOf(tenant)
      return whole || skills.has(skill) ? quotas.quotaStates(tenant, skill) : []
    },
  }
}
