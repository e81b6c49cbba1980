import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LONG, admit, newNote, newTenant, settle } from '../contract/engine-fixtures.ts'
import type { Engine } from '../ports.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

let folder: string
let engine: Engine
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-pausing-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

/** As a process leaves it that is killed after the mark is on disk and before the line follows. */
async function killedAfter(mark: string): Promise<void> {
  await engine.close()
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  db.exec(mark)
  db.close()
  engine = await openSqliteEngine({ folder })
  await engine.runs.recover()
}

const taken = async () => (await engine.runs.take('default', 10, LONG)).map(({ run }) => run.id)

test.each(['tenants', 'stages'])('what pausing in %s left undone is done after a restart', async (table) => {
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  const place = await settle(engine, tenant.id)
  const [first, second] = [await admit(engine.runs, place), await admit(engine.runs, place)]
  await killedAfter(`UPDATE ${table} SET paused = 1`)
  expect(await taken()).toEqual([])
  await killedAfter(`UPDATE ${table} SET paused = 0`)
  expect(await taken()).toEqual([first, second])
})

test('who asks again for what failed half-way gets it, without a second line in the log', async () => {
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  const place = await settle(engine, tenant.id)
  const id = await admit(engine.runs, place)
  const note = newNote(tenant.id, 'queue.pause', tenant.id)
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  db.exec(`CREATE TRIGGER full BEFORE UPDATE OF state ON queue BEGIN SELECT RAISE(ABORT, 'no more of that'); END`)
  await expect(engine.queues.setPaused(tenant.id, null, true, note)).rejects.toThrow('no more of that')
  db.exec('DROP TRIGGER full')
  db.close()
  await engine.queues.setPaused(tenant.id, null, true, note)
  expect(await taken()).toEqual([])
  const rows = await engine.audit.read(tenant.id, 0, 100)
  expect(rows.filter(({ action }) => action === 'queue.pause')).toHaveLength(1)
  await engine.queues.setPaused(tenant.id, null, false, newNote(tenant.id, 'queue.resume', tenant.id))
  expect(await taken()).toEqual([id])
})
