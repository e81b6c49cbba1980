import { DatabaseSync } from 'node:sqlite'
import { MIGRATIONS } from './migrations.ts'

/** Whether a file that nobody has open is a sound database of this code. @returns What is wrong, for people; null when nothing is. */
export function checkSqliteFile(file: string): string | null {
  let db: DatabaseSync | null = null
  try {
    db = new DatabaseSync(file)
    const found = (db.prepare('PRAGMA integrity_check(5)').all() as { integrity_check: string }[]).map(
      (row) => row.integrity_check,
    )
    if (found.join() !== 'ok') return `the database is damaged: ${found.join('; ')}`
    const { version } = db.prepare('SELECT version FROM schema_version').get() as { version: number }
    if (version <= MIGRATIONS.length) return null
    return `its database has schema ${version}, made by a newer Skillet; this one knows schemas up to ${MIGRATIONS.length}`
  } catch (error) {
    return `the database cannot be read: ${(error as Error).message}`
  } finally {
    db?.close()
  }
}
