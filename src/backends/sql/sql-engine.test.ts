import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { engineContract } from '../contract/engine-contract.ts'
import { NOTE, LONG, SUCCEEDED, newRun, settle } from '../contract/engine-fixtures.ts'
import type { Engine } from '../ports.ts'
import { ACTIVITY_SQL } from './activity-store.ts'
import { SERVED } from './served-rows.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

let folder: string
const engines: Engine[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-engine-'))
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  await rm(folder, { recursive: true, force: true })
})

async function open(): Promise<Engine> {
  const engine = await openSqliteEngine({ folder })
  engines.push(engine)
  return engine
}

/** A new state, made once: two hundred tests need not all wait for the same migrations. */
let migrated: Buffer
beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), 'skillet-engine-'))
  await (await openSqliteEngine({ folder: made })).close()
  migrated = await readFile(join(made, DATABASE_FILE))
  await rm(made, { recursive: true })
})

engineContract('SQLite', async () => {
  await writeFile(join(folder, DATABASE_FILE), migrated, { mode: 0o600 })
  const engine = await open()
  return { engine, close: () => engine.close() }
})

test.each([
  ['with others', undefined],
  ['to begin at once', { leaseMs: LONG }],
])('a run that the queue refuses, %s, is failed, and can be asked for again with the same key', async (_, take) => {
  const { runs, ...engine } = await open()
  const place = await settle({ runs, ...engine })
  const letter = newRun(place)
  await runs.admit(letter, 'default', NOTE)
  const [claim] = await runs.take('default', 1, LONG)
  const lost = { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null, dead_letter: true } as const
  await runs.finish(letter.id, claim!.token, lost)
  const sabotage = new DatabaseSync(join(folder, DATABASE_FILE))
  sabotage.exec(`CREATE TRIGGER full BEFORE INSERT ON queue BEGIN SELECT RAISE(ABORT, 'the queue is full'); END`)
  const run = newRun(place, { replay_of: letter.id })
  const key = { key: 'k', fingerprint: 'f', expires_at: '2999-01-01T00:00:00.000Z' }
  const refused = await runs.admit(run, 'default', NOTE, { idempotency: key, take })
  const expected = {
    id: run.id,
    status: 'failed',
    reason: 'runtime_error',
    error: { type: 'EnqueueFailed', message: expect.stringContaining('the queue is full') },
    input: run.input,
  }
  expect(refused).toMatchObject({ outcome: 'enqueue_failed', run: expected })
  expect(await runs.find(place.tenant, run.id)).toMatchObject(expected)
  const events = await runs.events(place.tenant, run.id, 0, 10)
  expect(events.map(({ seq, type }) => [seq, type])).toEqual([
    [1, 'status'],
    [2, 'result'],
  ])
  expect(await runs.find(place.tenant, letter.id), 'nothing was done about it').toMatchObject({ dead_letter: true })
  sabotage.exec('DROP TRIGGER full')
  sabotage.close()
  const again = await runs.admit(newRun(place), 'default', NOTE, { idempotency: key })
  expect(again.outcome).toBe('admitted')
  expect((await runs.take('default', 10, LONG)).map(({ run: { id } }) => id)).not.toContain(run.id)
})

test('everything is there after closing and opening again', async () => {
  const first = await open()
  const place = await settle(first)
  const run = newRun(place)
  await first.runs.admit(run, 'default', NOTE)
  const [claim] = await first.runs.take('default', 1, LONG)
  await first.runs.finish(run.id, claim!.token, SUCCEEDED)
  const before = await first.runs.find(place.tenant, run.id)
  await first.close()
  const second = await open()
  expect(await second.runs.find(place.tenant, run.id)).toEqual(before)
  expect(await second.skills.findSkill(place.tenant, 'notes')).toEqual(place.skill)
})

test('only the owner can look at the folder and its files', async () => {
  await settle(await open())
  const modes = ['', DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`, 'lock.db', 'owner.json'].map(
    async (name) => ((await stat(join(folder, name))).mode & 0o777).toString(8),
  )
  expect(await Promise.all(modes)).toEqual(['700', '600', '600', '600', '600', '600'])
})

test('an aborted opening leaves the folder free', async () => {
  await expect(openSqliteEngine({ folder, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  await (await open()).check()
})

test('the queue and every list read through an index', async () => {
  await open()
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  const plan = (sql: string): string =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ')
  const page = 'ORDER BY id DESC LIMIT 10'
  const plans: Record<string, string> = {
    'events_tenant (tenant=? AND n>?)': ACTIVITY_SQL.replace('?', `'t'`).replace('?', '5') + ' LIMIT 200',
    'events_tenant (tenant=?)': `SELECT n FROM events WHERE tenant = 't' AND type <> 'log' ORDER BY n DESC LIMIT 1`,
    queue_waiting: `SELECT * FROM queue WHERE queue = 'default' AND state = 'waiting' ORDER BY turn, place LIMIT 8`,
    queue_due: `SELECT * FROM queue WHERE queue = 'default' AND state IN ('leased', 'later') AND visible_at <= 5`,
    runs_list: `SELECT * FROM runs WHERE tenant = 't' ${page}`,
    runs_live: `SELECT * FROM runs WHERE tenant = 't' AND status = 'queued' AND finished_at IS NULL ${page}`,
    runs_over: `SELECT * FROM runs WHERE tenant = 't' AND status = 'failed' AND finished_at IS NOT NULL ${page}`,
    runs_skill: `SELECT * FROM runs WHERE tenant = 't' AND skill = 's' ${page}`,
    runs_stage: `SELECT * FROM runs WHERE tenant = 't' AND stage = 's' ${page}`,
    runs_skill_other: `SELECT * FROM runs WHERE tenant = 't' AND skill = 's' AND status = 'x' AND finished_at IS NOT NULL AND status <> 'succeeded' ${page}`,
    runs_stage_other: `SELECT * FROM runs WHERE tenant = 't' AND stage = 's' AND status = 'x' AND finished_at IS NOT NULL AND status <> 'succeeded' ${page}`,
    'runs_skill (tenant=? AND skill=?': `SELECT * FROM runs WHERE tenant = 't' AND skill = 's' AND status || '' = 'succeeded' AND finished_at IS NOT NULL ${page}`,
    'runs_stage (tenant=? AND stage=?': `SELECT * FROM runs WHERE tenant = 't' AND stage = 's' AND status || '' = 'succeeded' AND finished_at IS NOT NULL ${page}`,
    'runs_skill (tenant=? AND skill=? AND id<?': `SELECT * FROM runs WHERE tenant = 't' AND skill = 's' AND status || '' = 'succeeded' AND id < 'r' AND finished_at IS NOT NULL ${page}`,
    runs_handed_back: `SELECT id, skill FROM runs WHERE tenant = 't' AND status = 'queued' AND counted = 1`,
    'runs_live (tenant=? AND status=?)': `SELECT id, skill FROM runs WHERE tenant = 't' AND status = 'running' AND finished_at IS NULL`,
    skills_list: `SELECT * FROM skills WHERE tenant = 't' AND deleted_at IS NULL ${page}`,
    versions_list: `SELECT * FROM versions WHERE skill = 's' AND tenant = 't' ORDER BY rank DESC LIMIT 10`,
    'stages_served (tenant=? AND name=?': `${SERVED} WHERE s.tenant = 't' AND s.name = 'prod' AND s.deployment IS NOT NULL
      AND s.skill > 's' ORDER BY s.skill ASC LIMIT 10`,
    'versions_sequence (skill=?': `SELECT * FROM versions WHERE skill = 's' AND tenant = 't' AND sequence > 5 ORDER BY sequence ASC LIMIT 10`,
    'links_tenant (tenant=?': `SELECT * FROM links WHERE tenant = 't' AND id < 'x' ${page}`,
    'links_hash (hash=?': `SELECT * FROM links WHERE hash = 'h'`,
    activations: `SELECT * FROM activations WHERE stage = 's' AND tenant = 't' ORDER BY revision DESC LIMIT 10`,
    uploads_unfinished: `SELECT * FROM uploads WHERE state IN ('received', 'validating') ORDER BY id`,
    'COVERING INDEX webhooks_due': `SELECT due, stage, tenant FROM webhooks WHERE due IS NOT NULL AND (due, stage) > (1, 's') AND due <= 5
      ORDER BY due, stage LIMIT 256`,
    schedules_due: `SELECT * FROM schedules WHERE due <= 5 AND (due, stage) > (1, 's') ORDER BY due, stage LIMIT 10`,
    'COVERING INDEX schedules_due': 'SELECT min(due) FROM schedules WHERE due IS NOT NULL AND due > 5',
    'INDEX schedules_due': 'SELECT min(due) FROM schedules WHERE due IS NOT NULL',
    schedules_list: `SELECT * FROM schedules WHERE tenant = 't' AND stage < 's' ORDER BY stage DESC LIMIT 10`,
    'PRIMARY KEY (stage=?)': `SELECT * FROM fires WHERE stage = 's' AND tenant = 't' ORDER BY scheduled_for DESC LIMIT 10`,
    'COVERING INDEX queue_held (tenant=? AND stage=?)': `SELECT min(place) FROM queue WHERE tenant = 't' AND stage = 's' AND state = 'held'`,
    'COVERING INDEX queue_paused (tenant=? AND place>?)': `SELECT place FROM queue WHERE tenant = 't' AND state = 'paused' AND place >= 5
      ORDER BY place LIMIT 1 OFFSET 499`,
    'COVERING INDEX queue_tenant (tenant=? AND queue=? AND state=?)': `SELECT max(turn) + 1 FROM queue
      WHERE tenant = 't' AND queue = 'default' AND state = 'waiting'`,
    'COVERING INDEX queue_tenant (tenant=?)': `SELECT queue, state, count(*), min(enqueued_at) FROM queue WHERE tenant = 't' GROUP BY queue, state`,
    'COVERING INDEX queue_waiting (queue=?)': `SELECT min(turn) FROM queue WHERE queue = 'default' AND state = 'waiting'`,
    runs_dead_letters: `SELECT * FROM runs WHERE tenant = 't' AND dead_letter = 1 ${page}`,
    runs_scheduled_live: `SELECT id FROM runs WHERE stage = 's' AND scheduled_for IS NOT NULL AND finished_at IS NULL`,
    webhooks_secret: `SELECT stage FROM webhooks WHERE secret = 's'`,
    deliveries_due: `SELECT * FROM deliveries WHERE stage = 's' AND status = 'pending' AND due <= 5 ORDER BY due LIMIT 4`,
    'INDEX deliveries_due (stage=?': `SELECT min(due) FROM deliveries WHERE stage = 's' AND status = 'pending'`,
    'INDEX deliveries_due (stage>?': `SELECT min(stage) FROM deliveries WHERE status = 'pending' AND stage > 's'`,
    deliveries_list: `SELECT * FROM deliveries WHERE tenant = 't' ${page}`,
    deliveries_stage: `SELECT * FROM deliveries WHERE tenant = 't' AND skill = 's' AND stage = 's' ${page}`,
    deliveries_run: `SELECT * FROM deliveries WHERE tenant = 't' AND run = 'r' ${page}`,
    deliveries_other: `SELECT * FROM deliveries WHERE tenant = 't' AND status = 'failed' AND status <> 'delivered' ${page}`,
    'deliveries_list (tenant=? AND id<?)': `SELECT * FROM deliveries WHERE tenant = 't' AND status = 'delivered' AND id < 'x' ${page}`,
  }
  for (const [index, sql] of Object.entries(plans)) {
    expect(plan(sql), sql).toContain(index)
    expect(plan(sql), sql).not.toMatch(/TEMP B-TREE/)
  }
  db.close()
})
