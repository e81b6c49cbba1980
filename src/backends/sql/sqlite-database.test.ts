import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database, Queries } from './database.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

let folder: string
let db: Database
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-database-'))
  db = openSqliteDatabase(join(folder, 'test.db'))
  await db.tx((t) => t.query('CREATE TABLE things (name text PRIMARY KEY, owner text)'))
  await db.tx((t) => t.query('CREATE TABLE owners (name text PRIMARY KEY)'))
})
afterEach(async () => {
  await db.close()
  await rm(folder, { recursive: true, force: true })
})

const add = (name: string) => db.tx((t) => t.query('INSERT INTO things (name) VALUES (?)', name))
const names = async () =>
  (await db.query<{ name: string }>('SELECT name FROM things ORDER BY name')).map((row) => row.name)

test('one that fails is undone alone; the others of its batch stay', async () => {
  const ends = await Promise.allSettled([
    add('a'),
    db.tx(async (t) => {
      await t.query('INSERT INTO things (name) VALUES (?)', 'b')
      throw new Error('changed my mind')
    }),
    add('a'),
    add('c'),
  ])
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(ends[1]).toMatchObject({ reason: { message: 'changed my mind' } })
  expect(await names()).toEqual(['a', 'c'])
})

test('a later one of a batch sees what an earlier one wrote', async () => {
  const [, seen] = await Promise.all([add('a'), db.tx((t) => t.query('SELECT name FROM things'))])
  expect(seen).toEqual([{ name: 'a' }])
})

test('nobody outside sees what is not committed', async () => {
  let seen: string[] | null = null
  await db.tx(async (t) => {
    await t.query('INSERT INTO things (name) VALUES (?)', 'a')
    void names().then((found) => (seen = found))
    await t.query('SELECT 1')
  })
  await turn()
  expect(seen).toEqual([])
  expect(await names()).toEqual(['a'])
})

test('an inner savepoint can fail and the transaction go on', async () => {
  await db.tx(async (t) => {
    await t.query('INSERT INTO things (name) VALUES (?)', 'outer')
    const inner = t.savepoint(async () => {
      await t.query('INSERT INTO things (name) VALUES (?)', 'inner')
      await t.query('INSERT INTO things (name) VALUES (?)', 'outer')
    })
    await expect(inner).rejects.toThrow(/UNIQUE/)
    await t.query('INSERT INTO things (name) VALUES (?)', 'after')
  })
  expect(await names()).toEqual(['after', 'outer'])
})

test('a transaction that waits for anything but its queries is undone, and the next one works', async () => {
  let late: Promise<unknown> | null = null
  const foreign = db.tx(async (t) => {
    await t.query('INSERT INTO things (name) VALUES (?)', 'a')
    await turn()
    await turn()
    late = t.query('INSERT INTO things (name) VALUES (?)', 'b')
    await late
  })
  await expect(foreign).rejects.toThrow(/awaited something other than its own queries/)
  await add('c')
  while (late === null) await turn()
  await expect(late).rejects.toThrow(/has ended/)
  expect(await names()).toEqual(['c'])
})

test('a commit that fails rejects all of its batch and tells no one', async () => {
  await db.tx((t) => t.query('CREATE TABLE bonds (owner text REFERENCES owners (name) DEFERRABLE INITIALLY DEFERRED)'))
  let told = 0
  const ends = await Promise.allSettled([
    db.tx(async (t) => {
      await t.query('INSERT INTO things (name) VALUES (?)', 'a')
      t.afterCommit(() => told++)
    }),
    db.tx((t) => t.query('INSERT INTO bonds (owner) VALUES (?)', 'nobody')),
  ])
  for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { message: /FOREIGN KEY/ } })
  expect(await names()).toEqual([])
  expect(told).toBe(0)
  await add('b')
  expect(await names()).toEqual(['b'])
})

test('hints come after the commit, and only from those that succeeded', async () => {
  const told: string[] = []
  const hint = (name: string, fail: boolean) =>
    db.tx(async (t) => {
      await t.query('INSERT INTO things (name) VALUES (?)', name)
      t.afterCommit(() => {
        void names().then((seen) => told.push(`${name}: ${seen.join()}`))
      })
      if (fail) throw new Error('no')
    })
  await Promise.allSettled([hint('a', false), hint('b', true), hint('c', false)])
  await turn()
  expect(told).toEqual(['a: a,c', 'c: a,c'])
})

test('what an undone savepoint wanted to tell is not told', async () => {
  const told: string[] = []
  await db.tx(async (t) => {
    t.afterCommit(() => told.push('before'))
    const inner = t.savepoint(() => {
      t.afterCommit(() => told.push('inner'))
      return Promise.reject(new Error('no'))
    })
    await expect(inner).rejects.toThrow('no')
    t.afterCommit(() => told.push('after'))
  })
  expect(told).toEqual(['before', 'after'])
})

test('whoever goes on after an error that undid everything writes nothing by itself', async () => {
  const went = db.tx(async (t) => {
    const inner = t.savepoint(async () => {
      await t.query('INSERT INTO things (name) VALUES (?)', 'a')
      // As SQLite does itself when the disk is full.
      await t.query('ROLLBACK')
      throw new Error('the disk is full')
    })
    await expect(inner).rejects.toThrow('the disk is full')
    await expect(t.savepoint(() => t.query('INSERT INTO things (name) VALUES (?)', 'b'))).rejects.toThrow('undone')
    await t.query('INSERT INTO things (name) VALUES (?)', 'c')
  })
  await expect(went).rejects.toThrow('undone as a whole')
  expect(await names()).toEqual([])
  await add('d')
  expect(await names()).toEqual(['d'])
})

test('a reader cannot write', async () => {
  await expect(db.query(`INSERT INTO things (name) VALUES ('a')`)).rejects.toThrow(/readonly/)
})

test('closing lets what was asked for end, and refuses the rest', async () => {
  const asked = Promise.all(Array.from({ length: 500 }, (_, i) => add(String(i))))
  const closing = db.close()
  await expect(add('late')).rejects.toThrow(/closed/)
  await asked
  await closing
  db = openSqliteDatabase(join(folder, 'test.db'))
  expect(await names()).toHaveLength(500)
})

test('what is recalled is what was committed last, and within a transaction what that has written', async () => {
  await db.tx(async (t) => {
    await t.query('CREATE TABLE tenants (id text PRIMARY KEY, name text)')
    await t.query(`INSERT INTO tenants VALUES ('t', 'first')`)
  })
  expect([await nameIn(db), await nameIn(db)]).toEqual(['first', 'first'])
  const seen: unknown[] = []
  await Promise.all([
    db.tx(async (t) => {
      seen.push(await nameIn(t))
      await t.query(`UPDATE tenants SET name = 'second' WHERE id = 't'`)
      seen.push(await nameIn(t))
    }),
    db.tx(async (t) => void seen.push(await nameIn(t))),
    db
      .tx(async (t) => {
        await t.query(`DELETE FROM tenants`)
        seen.push(await nameIn(t))
        throw new Error('undone')
      })
      .catch(() => undefined),
    db.tx(async (t) => void seen.push(await nameIn(t))),
  ])
  expect(seen).toEqual(['first', 'second', 'second', undefined, 'second'])
  expect(await nameIn(db)).toBe('second')
  await expect(db.recall('DELETE FROM tenants')).rejects.toThrow('readonly')
})

test('asking alone makes nothing forgotten, however the question is laid out', async () => {
  await db.tx((t) => t.query('CREATE TABLE tenants (id text PRIMARY KEY, name text)'))
  const question = `\n  SELECT name FROM tenants WHERE id = ?`
  const first = await db.tx((t) => t.recall(question, 't'))
  expect(await db.tx((t) => t.recall(question, 't'))).toBe(first)
  expect(await db.recall(question, 't')).toBe(first)
})

const nameIn = async (from: Queries): Promise<unknown> =>
  (await from.recall<{ name: string }>('SELECT name FROM tenants WHERE id = ?', 't'))[0]?.name
