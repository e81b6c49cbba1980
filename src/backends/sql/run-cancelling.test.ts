import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { LONG, admit, settle } from '../contract/engine-fixtures.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

test('a server that is killed when a stage is deleted, before its runs are cancelled: its successor cancels them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-cancelling-'))
  try {
    const first = await openSqliteEngine({ folder })
    const place = await settle(first)
    const other = await settle(first, place.tenant, 'other')
    const running = await admit(first.runs, place)
    await first.runs.take('default', 1, LONG)
    const waiting = await Promise.all(Array.from({ length: 50 }, () => admit(first.runs, place)))
    const beside = await admit(first.runs, other)
    await first.close()
    const db = new DatabaseSync(join(folder, DATABASE_FILE))
    db.prepare('DELETE FROM stages WHERE id = ?').run(place.stage.id)
    db.close()

    const second = await openSqliteEngine({ folder })
    try {
      expect(await second.runs.recover()).toBe(1)
      const { items } = await second.runs.list(place.tenant, { limit: 100, status: 'cancelled' })
      expect(items.map(({ id }) => id).toSorted()).toEqual([running, ...waiting].toSorted())
      expect((await second.runs.take('default', 10, LONG)).map(({ run }) => run.id)).toEqual([beside])
    } finally {
      await second.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
