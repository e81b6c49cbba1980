import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from './database.ts'
import { MIGRATIONS, migrate } from './migrations.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

let folder: string
const opened: Database[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-migrations-'))
})
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close()
  await rm(folder, { recursive: true, force: true })
})

function open(name: string): Database {
  const db = openSqliteDatabase(join(folder, name))
  opened.push(db)
  return db
}

const schema = (db: Database) => db.query('SELECT type, name, sql FROM sqlite_master ORDER BY type, name')
const version = async (db: Database) => (await db.query<{ version: number }>('SELECT version FROM schema_version'))[0]

test.each(MIGRATIONS.map((_, from) => from).concat(MIGRATIONS.length))('from schema %i to the last', async (from) => {
  const fresh = open('fresh.db')
  await migrate(fresh)
  const old = open('old.db')
  await migrate(old, from)
  expect(await version(old)).toEqual({ version: from })
  await migrate(old)
  expect(await version(old)).toEqual({ version: MIGRATIONS.length })
  expect(await schema(old)).toEqual(await schema(fresh))
  expect(await old.query('SELECT * FROM pragma_foreign_key_check')).toEqual([])
  expect(await old.query('SELECT * FROM pragma_integrity_check')).toEqual([{ integrity_check: 'ok' }])
})

test('a database of a newer version is left alone', async () => {
  const db = open('newer.db')
  await migrate(db)
  await db.tx((t) => t.query('UPDATE schema_version SET version = 99'))
  const before = await schema(db)
  await expect(migrate(db)).rejects.toThrow(/schema 99, made by a newer Skillet; this one knows schemas up to \d+/)
  expect(await schema(db)).toEqual(before)
})

test('a migration that fails changes nothing', async () => {
  const db = open('broken.db')
  await db.tx((t) => t.query('CREATE TABLE queue (already text)'))
  await expect(migrate(db)).rejects.toThrow(/queue already exists/)
  expect(await schema(db)).toEqual([expect.objectContaining({ name: 'queue' })])
})
