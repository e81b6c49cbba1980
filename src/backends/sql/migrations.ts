import { now } from '../../model/json.ts'
import type { Database } from './database.ts'
import { ddl } from './dialect.ts'
import { initial } from './migrations/0001-initial.ts'
import { access } from './migrations/0002-access.ts'
import { flow } from './migrations/0003-flow.ts'
import { upkeep } from './migrations/0004-upkeep.ts'
import { catalogue } from './migrations/0005-catalogue.ts'
import { links } from './migrations/0006-links.ts'
import { signing } from './migrations/0007-signing.ts'
import { runsOther } from './migrations/0008-runs-other.ts'

/** In order, never changed once released: the first is version 1. */
export const MIGRATIONS: readonly (readonly string[])[] = [
  initial,
  access,
  flow,
  upkeep,
  catalogue,
  links,
  signing,
  runsOther,
]

/**
 * Brings the database to the schema of this code, in one transaction; nothing happens when it is there already.
 * @param to Stops at this version, for tests of later steps. Default: the last.
 * @throws Error when the database is newer than this code.
 */
export async function migrate(db: Database, to: number = MIGRATIONS.length): Promise<void> {
  await db.tx(async (t) => {
    await t.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL, migrated_at text NOT NULL)')
    const [row] = await t.query<{ version: number }>('SELECT version FROM schema_version')
    const from = row?.version ?? 0
    if (from > MIGRATIONS.length) {
      throw new Error(
        `The database has schema ${from}, made by a newer Skillet; this one knows schemas up to ${MIGRATIONS.length}. ` +
          'Start the newer version again, or restore a backup made before it was installed.',
      )
    }
    if (row === undefined) await t.query('INSERT INTO schema_version (version, migrated_at) VALUES (0, ?)', now())
    if (from >= to) return
    for (const step of MIGRATIONS.slice(from, to)) {
      for (const statement of step) await t.query(ddl(statement, db.dialect))
    }
    await t.query('UPDATE schema_version SET version = ?, migrated_at = ?', to, now())
  })
}
