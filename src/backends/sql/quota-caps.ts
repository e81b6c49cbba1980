import { CAP_NAMES, type CapName, type Caps } from '../../model/quotas.ts'

/**
 * What decides about the quota of a run, for a statement over `runs`: looked up by keys along with it, so that it costs no statement.
 * As subqueries, because rows of an outer join cannot be claimed with those of the run.
 */
export const QUOTA_COLUMNS = `
  (SELECT tenants.suspended FROM tenants WHERE tenants.id = runs.tenant) AS suspended,
  (SELECT tenants.zone FROM tenants WHERE tenants.id = runs.tenant) AS zone,
  (SELECT quotas.ceiling FROM quotas WHERE quotas.tenant = runs.tenant AND quotas.scope = '') AS ceiling,
  (SELECT quotas.caps FROM quotas WHERE quotas.tenant = runs.tenant AND quotas.scope = '') AS caps,
  (SELECT quotas.caps FROM quotas WHERE quotas.tenant = runs.tenant AND quotas.scope = runs.skill) AS skill_caps`

export interface QuotaColumns {
  readonly suspended: number | null
  readonly zone: string | null
  readonly ceiling: string | null
  readonly caps: string | null
  readonly skill_caps: string | null
}

/** The row as it is without them. */
export function withoutQuota<Row extends QuotaColumns>(row: Row): Omit<Row, keyof QuotaColumns> {
  const { suspended: _suspended, zone: _zone, ceiling: _ceiling, caps: _caps, skill_caps: _skill, ...rest } = row
  return rest
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
