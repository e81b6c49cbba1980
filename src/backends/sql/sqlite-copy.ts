import { DatabaseSync, backup } from 'node:sqlite'
import type { StateCopy } from '../upkeep-ports.ts'
import { makePrivateFile } from './private-file.ts'

/** All pages in one step: on a thread of its own, and from one moment. In several steps each write of others would begin it anew. */
const ALL_PAGES = 2 ** 31 - 1

/** How many digests are read at once. */
const PAGE = 500

/**
 * Copies a database that is in use. Writers go on meanwhile; their log cannot be shortened until the copy is done.
 * @param file Must not exist.
 */
export async function copySqliteDatabase(source: string, file: string): Promise<StateCopy> {
  makePrivateFile(file)
  const db = new DatabaseSync(source, { readOnly: true })
  try {
    await backup(db, file, { rate: ALL_PAGES })
  } finally {
    db.close()
  }
  const [row] = read(file, 'SELECT version FROM schema_version') as { version: number }[]
  return {
    schema: row!.version,
    async *blobs() {
      let after = ''
      for (;;) {
        const rows = read(file, BLOBS, after, after, after, after) as { blob: string }[]
        for (const { blob } of rows) yield blob
        if (rows.length < PAGE) return
        after = rows.at(-1)!.blob
      }
    },
  }
}

/** Along four indexes at once, each in its order. */
const BLOBS = `SELECT archive_blob AS blob FROM packages WHERE archive_blob > ?
  UNION SELECT bundle_blob FROM packages WHERE bundle_blob > ?
  UNION SELECT bundle_blob FROM deployments WHERE bundle_blob > ?
  UNION SELECT sha256 FROM uploads WHERE state IN ('received', 'validating') AND sha256 > ?
  ORDER BY 1 LIMIT ${PAGE}`

function read(file: string, sql: string, ...values: string[]): unknown[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare(sql).all(...values)
  } finally {
    db.close()
  }
}
