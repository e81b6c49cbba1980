import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from './database.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { openWriteAheadLog } from './write-ahead-log.ts'

let folder: string
let db: Database
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-database-'))
  db = openSqliteDatabase(join(folder, 'test.db'))
  await db.tx((t) => t.query('CREATE TABLE things (name text PRIMARY KEY)'))
})
afterEach(async () => {
  await db.close()
  await rm(folder, { recursive: true, force: true })
})

const add = (name: string) => db.tx((t) => t.query('INSERT INTO things (name) VALUES (?)', name))
const names = async () =>
  (await db.query<{ name: string }>('SELECT name FROM things ORDER BY name')).map((row) => row.name)

test('nobody is told of anything before it is on disk but who asked to be, and nothing else waits for the disk', async () => {
  await db.close()
  let disk = Promise.resolve()
  const openLog: typeof openWriteAheadLog = (file) => {
    const log = openWriteAheadLog(file)
    return { sync: () => disk.then(log.sync), close: log.close }
  }
  db = openSqliteDatabase(join(folder, 'test.db'), { openLog })
  const { promise, resolve } = Promise.withResolvers<void>()
  disk = promise
  const told: string[] = []
  const early: string[] = []
  const first = db.tx(async (t) => {
    await t.query('INSERT INTO things (name) VALUES (?)', 'a')
    t.afterCommit(() => told.push('hint'))
    t.onceWritten(() => early.push('written'))
  })
  const undone = db.tx(async (t) => {
    t.onceWritten(() => early.push('undone'))
    await t.query(`INSERT INTO things (name) VALUES ('a')`)
  })
  await expect(undone).rejects.toThrow('UNIQUE')
  const all = [first.then(() => told.push('a'))]
  for (let i = 0; i < 5; i++) await turn()
  // Asked for in the meantime: what it reads is committed, but not on disk.
  all.push(names().then((seen) => told.push(`read ${seen.join()}`)))
  all.push(add('b').then(() => told.push('b')))
  for (let i = 0; i < 5; i++) await turn()
  early.push(...told)
  resolve()
  await Promise.all(all)
  expect(early).toEqual(['written'])
  expect(told.toSorted()).toEqual(['a', 'b', 'hint', 'read a'])
})

test('after a disk that failed to keep something nothing is told or written until the file is opened anew', async () => {
  await db.close()
  let broken = false
  const openLog: typeof openWriteAheadLog = (file) => {
    const log = openWriteAheadLog(file)
    return { sync: () => (broken ? Promise.reject(new Error('EIO')) : log.sync()), close: log.close }
  }
  db = openSqliteDatabase(join(folder, 'test.db'), { openLog })
  await add('a')
  broken = true
  await expect(add('b')).rejects.toThrow(/failed to keep/)
  broken = false
  await expect(add('c')).rejects.toThrow(/failed to keep/)
  await expect(names()).rejects.toThrow(/failed to keep/)
  await db.close()
  db = openSqliteDatabase(join(folder, 'test.db'))
  // Of "b" nobody was told anything: it may be there or not.
  expect((await names()).filter((name) => name !== 'b')).toEqual(['a'])
})
