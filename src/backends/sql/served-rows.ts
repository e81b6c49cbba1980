import { type CatalogueEntry, type PackageSummary, summaryOf } from '../../model/catalogue.ts'
import type { Package } from '../../model/packages.ts'

export type ServedRow = Omit<CatalogueEntry, keyof PackageSummary | 'provided' | 'served' | 'latest'> & {
  readonly served_id: string
  readonly served_sequence: number
  readonly served_at: string
  readonly latest_id: string
  readonly latest_version: string
  readonly latest_sequence: number
  readonly latest_at: string
  readonly summary: string | null
  /** Only where there is no summary. */
  readonly body: string | null
}

export const SUMMARY = 'p.summary, CASE WHEN p.summary IS NULL THEN p.body END AS body'
export const SERVED = `SELECT s.skill, s.tenant, k.name, k.display_name, s.name AS stage, s.deployment, d.version, d.digest, k.created_at,
  s.updated_at, v.id AS served_id, v.sequence AS served_sequence, v.created_at AS served_at,
  l.id AS latest_id, l.version AS latest_version, l.sequence AS latest_sequence, l.created_at AS latest_at, ${SUMMARY}
  FROM stages s JOIN skills k ON k.id = s.skill JOIN deployments d ON d.id = s.deployment
  JOIN packages p ON p.tenant = s.tenant AND p.digest = d.digest
  JOIN versions v ON v.skill = s.skill AND v.digest = d.digest
  JOIN versions l ON l.skill = s.skill AND l.sequence = (SELECT MAX(sequence) FROM versions WHERE skill = s.skill)`

export function toSummary({ summary, body }: Pick<ServedRow, 'summary' | 'body'>): PackageSummary {
  return summary === null ? summaryOf(JSON.parse(body!) as Package) : (JSON.parse(summary) as PackageSummary)
}

/** `provided` is what the reader is to the tenant: whoever asks for another's says so. */
export function toEntry(row: ServedRow): CatalogueEntry {
  const { summary, body, served_id, served_sequence, served_at, ...rest } = row
  const { latest_id, latest_version, latest_sequence, latest_at, ...entry } = rest
  return {
    ...entry,
    served: { id: served_id, version: entry.version, sequence: served_sequence, created_at: served_at },
    latest: { id: latest_id, version: latest_version, sequence: latest_sequence, created_at: latest_at },
    ...toSummary({ summary, body }),
    provided: false,
  }
}
