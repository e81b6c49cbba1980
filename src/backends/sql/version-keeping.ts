import { SkilletError } from '../../model/errors.ts'
import type { Version } from '../../model/skills.ts'
import type { Transaction } from './database.ts'
import { semverRank } from './semver-rank.ts'

export const VERSION = 'id, tenant, skill, version, sequence, digest, created_by, created_at'

/**
 * A version names one package for ever, and a package has one version in a skill. What was withdrawn keeps its number.
 * @returns As it is kept, and whether it was made now. @throws SkilletError version_taken
 */
export async function keepVersion(
  t: Transaction,
  version: Omit<Version, 'sequence'>,
): Promise<{ version: Version; made: boolean }> {
  const { id, tenant, skill, version: number, digest, created_by, created_at } = version
  const [gone] = await t.query<{ digest: string }>(
    'SELECT digest FROM withdrawn_versions WHERE skill = ? AND version = ?',
    skill,
    number,
  )
  if (gone !== undefined) {
    throw new SkilletError('version_taken', `Version ${number} named the package ${gone.digest} and was withdrawn.`, {
      data: { version: number, digest: gone.digest },
    })
  }
  const [made] = await t.query<Version>(
    `INSERT INTO versions (${VERSION}, rank) VALUES (?, ?, ?, ?, ${NEXT}, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING ${VERSION}`,
    id,
    tenant,
    skill,
    number,
    skill,
    skill,
    digest,
    created_by,
    created_at,
    semverRank(number),
  )
  if (made !== undefined) return { version: { ...made }, made: true }
  const known = await t.query<Version>(
    `SELECT ${VERSION} FROM versions WHERE skill = ? AND (version = ? OR digest = ?)`,
    skill,
    number,
    digest,
  )
  if (known.length === 1 && known[0]!.version === number && known[0]!.digest === digest) {
    return { version: { ...known[0]! }, made: false }
  }
  const other = known.find((row) => row.version === number) ?? known[0]
  throw new SkilletError(
    'version_taken',
    other?.version === number
      ? `Version ${number} names the package ${other.digest}.`
      : `The package ${digest} is version ${other?.version} already.`,
    { data: { version: other?.version, digest: other?.digest } },
  )
}

/** One more than any version of the skill has or had. */
const NEXT = `(SELECT COALESCE(MAX(sequence), 0) + 1 FROM
  (SELECT sequence FROM versions WHERE skill = ? UNION ALL SELECT sequence FROM withdrawn_versions WHERE skill = ?) AS given)`
