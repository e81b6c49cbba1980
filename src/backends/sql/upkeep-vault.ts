import { hash } from 'node:crypto'
import type { UpkeepStore } from '../upkeep-ports.ts'
import type { Database } from './database.ts'
import { literal } from './page.ts'
import { STEP, gone } from './upkeep-step.ts'

/** Values that a crash left in the vault: written and never pointed at, or replaced and not removed. */
export function createVaultSweep(db: Database): Pick<UpkeepStore, 'strayValues' | 'removeStray'> {
  return {
    async strayValues(from) {
      const rows = await db.query<{ path: string; revision: number; present: number | null }>(
        `SELECT vault.path, vault.revision, COALESCE(secrets.revision, signing_keys.revision) AS present FROM vault
         LEFT JOIN secrets ON secrets.path = vault.path LEFT JOIN signing_keys ON signing_keys.path = vault.path
         WHERE vault.path > ? ORDER BY vault.path, vault.revision LIMIT ${literal(STEP)}`,
        from ?? '',
      )
      // The last path may have more revisions: it is left to the next page, unless it is the only one.
      const last = rows.length < STEP ? undefined : rows.at(-1)!.path
      const whole = rows.filter(({ path }) => path !== last)
      const looked = whole.length === 0 ? rows : whole
      const found = []
      for (const { path, revision } of looked.filter((row) => row.present !== row.revision)) {
        const [row] = await db.query<{ sealed: string }>(SEALED, path, revision)
        if (row !== undefined) found.push({ path, revision, mark: hash('sha256', row.sealed) })
      }
      return { found, next: last === undefined ? null : looked.at(-1)!.path }
    },

    removeStray({ path, revision, mark }) {
      return db.tx(async (t) => {
        const [row] = await t.query<{ sealed: string }>(SEALED, path, revision)
        // Written again since: somebody is about to point at it.
        if (row === undefined || hash('sha256', row.sealed) !== mark) return false
        return gone(
          t,
          `DELETE FROM vault WHERE path = ? AND revision = ? AND NOT EXISTS
             (SELECT 1 FROM secrets WHERE secrets.path = vault.path AND secrets.revision = vault.revision)
             AND NOT EXISTS (SELECT 1 FROM signing_keys WHERE signing_keys.path = vault.path) RETURNING path`,
          path,
          revision,
        )
      })
    },
  }
}

const SEALED = 'SELECT sealed FROM vault WHERE path = ? AND revision = ?'
