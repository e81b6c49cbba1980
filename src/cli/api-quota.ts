import type { Caps, Quota, QuotaState, UsageRow, UsageTotals } from '../model/quotas.ts'
import type { Http } from './http.ts'

export type QuotaView = Quota & { readonly states: QuotaState[] }

/** What an operator is told of a tenant. */
export type CeilingView = Pick<QuotaView, 'tenant' | 'zone' | 'ceiling' | 'states'>

export interface UsageQuery {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly skill?: string | undefined
  readonly stage?: string | undefined
  readonly group_by: 'day' | 'skill' | 'stage'
}

export interface UsageReport {
  readonly from: string
  readonly to: string
  readonly zone: string
  readonly items: UsageRow[]
  readonly totals: UsageTotals
}

/** Calls about caps and usage. */
export function createQuotaApi({ ok }: Http) {
  return {
    findQuota: (): Promise<QuotaView> => ok('GET', '/api/quota'),
    putQuota: (caps: Caps): Promise<QuotaView> => ok('PUT', '/api/quota', { body: { caps } }),
    putSkillQuota: (skill: string, caps: Caps): Promise<QuotaView> =>
      ok('PUT', `/api/quota/skills/${encodeURIComponent(skill)}`, { body: { caps } }),
    findCeiling: (tenant: string): Promise<CeilingView> => ok('GET', ceilingPath(tenant)),
    putCeiling: (tenant: string, ceiling: Caps): Promise<CeilingView> =>
      ok('PUT', ceilingPath(tenant), { body: { ceiling } }),
    usage: (query: UsageQuery): Promise<UsageReport> => ok('GET', '/api/usage', { query: { ...query } }),
  }
}

const ceilingPath = (tenant: string): string => `/api/tenants/${encodeURIComponent(tenant)}/quota`
