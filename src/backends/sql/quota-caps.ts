import { CAP_NAMES, type CapName, type Caps } from '../../model/quotas.ts'
import type { Transaction } from './database.ts'

/** What decides about the quota of a run. */
export interface QuotaColumns {
  readonly suspended: number | null
  readonly zone: string | null
  readonly ceiling: string | null
  readonly caps: string | null
  readonly skill_caps: string | null
}

const DECIDES = `
  SELECT suspended, zone, whole.ceiling, whole.caps, part.caps AS skill_caps FROM (SELECT 1 AS one) AS always
  LEFT JOIN tenants ON tenants.id = ?
  LEFT JOIN quotas AS whole ON whole.tenant = ? AND whole.scope = ''
  LEFT JOIN quotas AS part ON part.tenant = ? AND part.scope = ?`

/** One statement of its own: as more columns of the run's row it costs more, with every row that is read. */
export async function quotaOf(
  t: Transaction,
  { tenant, skill }: { readonly tenant: string; readonly skill: string },
): Promise<QuotaColumns> {
  const [row] = await t.recall<QuotaColumns>(DECIDES, tenant, tenant, tenant, skill)
  return row!
}

/** The caps that hold for a tenant (`skill` null) or one of its skills. */
export interface ScopedCaps {
  readonly skill: string | null
  readonly limits: ReadonlyMap<CapName, number>
}

export const zoneOf = ({ zone }: Pick<QuotaColumns, 'zone'>): string => zone ?? 'UTC'

/** Those scopes that have caps: nearly always none. */
export function scopesOf(columns: Pick<QuotaColumns, 'ceiling' | 'caps' | 'skill_caps'>, skill: string): ScopedCaps[] {
  const { ceiling, caps, skill_caps } = columns
  if (ceiling === null && caps === null && skill_caps === null) return []
  return [
    { skill: null, limits: limitsOf(parseCaps(ceiling), parseCaps(caps)) },
    { skill, limits: limitsOf(parseCaps(skill_caps)) },
  ].filter(({ limits }) => limits.size > 0)
}

/** The smallest that any of them says. */
export function limitsOf(...all: readonly Caps[]): ReadonlyMap<CapName, number> {
  const limits = new Map<CapName, number>()
  for (const name of CAP_NAMES) {
    for (const caps of all) {
      const limit = caps[name] ?? null
      if (limit !== null) limits.set(name, Math.min(limit, limits.get(name) ?? limit))
    }
  }
  return limits
}

export const parseCaps = (text: string | null): Caps => (text === null ? {} : (JSON.parse(text) as Caps))
