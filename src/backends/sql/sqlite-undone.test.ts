import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqliteDatabase } from './sqlite-database.ts'

test('what undid everything is what everybody in it is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-undone-'))
  const db = openSqliteDatabase(join(folder, 'test.db'))
  const add = (name: string) => db.tx((t) => t.query('INSERT INTO things (name) VALUES (?)', name))
  try {
    await db.tx(async (t) => {
      await t.query('CREATE TABLE things (name text)')
      // As SQLite does itself when the disk is full.
      await t.query(`CREATE TRIGGER full BEFORE INSERT ON things WHEN NEW.name = 'much'
        BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END`)
    })
    const before = add('before')
    const goesOn = db.tx(async (t) => {
      await t.savepoint(() => t.query(`INSERT INTO things (name) VALUES ('much')`)).catch(() => undefined)
      await t.query(`INSERT INTO things (name) VALUES ('instead')`)
    })
    const told = { status: 'rejected', reason: { message: 'the disk is full' } }
    expect(await Promise.allSettled([before, goesOn])).toMatchObject([told, told])
    await add('after')
    expect(await db.query('SELECT name FROM things')).toEqual([{ name: 'after' }])
  } finally {
    await db.close()
    await rm(folder, { recursive: true, force: true })
  }
})
