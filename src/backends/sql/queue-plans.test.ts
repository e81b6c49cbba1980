import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { LONG, NOTE, OVER, SUCCEEDED, admit, newNote, newRun, newTenant, settle } from '../contract/engine-fixtures.ts'
import { MINUTE, T0, fireOne, orderOf, putSchedule } from '../contract/schedule-fixtures.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-plans-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Every statement that is run while runs wait, run, fail, are paused, tried again, put aside and cancelled. */
async function statements(): Promise<string[]> {
  const engine = await openSqliteEngine({ folder })
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  const place = await settle(engine, tenant.id)
  const seen = vi.spyOn(DatabaseSync.prototype, 'prepare')
  try {
    const { runs, queues } = engine
    const take = async (leaseMs: number = LONG) => (await runs.take('default', 1, leaseMs))[0]!
    const failed = { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null, dead_letter: true } as const
    await runs.admit(newRun(place), 'default', NOTE, { take: { leaseMs: OVER } })
    const first = await take()
    await runs.heartbeat([{ run: first.run.id, token: first.token }], LONG)
    await runs.release(first.run.id, first.token)
    await runs.retry(first.run.id, (await take()).token, failed, 0)
    await runs.finish(first.run.id, (await take()).token, failed)
    await runs.nextVisible('default')
    await runs.list(place.tenant, { limit: 10, deadLetters: true })
    await runs.admit(newRun(place, { replay_of: first.run.id }), 'default', NOTE)
    await runs.dismiss(place.tenant, first.run.id, newNote(place.tenant, 'run.dismiss'))
    for (const stage of [null, place.stage.id]) {
      for (const is of [true, false]) {
        await queues.setPaused(place.tenant, stage, is, newNote(place.tenant, 'queue.pause'))
      }
    }
    await queues.queues(place.tenant)
    const overlap = 'queue_one'
    await putSchedule(engine, place, { overlap })
    const fired = await fireOne(engine, orderOf(place, T0, { overlap }))
    await fireOne(engine, orderOf(place, T0 + MINUTE, { overlap }))
    await runs.cancel(place.tenant, fired.run!, NOTE)
    await admit(runs, place)
    await engine.skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete'))
    return seen.mock.calls.map(([sql]) => sql)
  } finally {
    seen.mockRestore()
    await engine.close()
  }
}

test('whatever happens to a run, no statement reads all runs, all that wait, or all events', async () => {
  const all = (await statements()).filter((sql) => /\b(queue|runs|events|stages|tenants)\b/.test(sql))
  expect(all.length).toBeGreaterThan(40)
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  for (const sql of all) {
    const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
    for (const { detail } of rows) {
      // What a statement has found before, in a subquery of its own, is not a table.
      expect(detail, sql).not.toMatch(/^SCAN (queue|runs|events|stages|tenants|own|line|held|others)\b/)
    }
  }
  db.close()
})
