import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Place, newTenant, settle } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Caller } from '../model/access.ts'
import { now as textOf } from '../model/json.ts'
import { ScheduleSpec } from '../model/schedules.ts'
import { createDeploymentCache } from '../runs/deployment-cache.ts'
import { createPlanner } from '../runs/planning.ts'
import { type SchedulesService, createSchedulesService } from './service.ts'
import { type Ticker, createTicker } from './ticker.ts'

/** A clock that stands still unless it is set, for what services say and what fires. */
const START = Date.parse('2026-11-21T12:00:00Z')
let at = START
let folder: string
let engine: Engine
let place: Place
let caller: Caller
let schedules: SchedulesService
let tickers: Ticker[]
beforeEach(async () => {
  at = START
  tickers = []
  folder = await mkdtemp(join(tmpdir(), 'skillet-schedules-'))
  engine = await openSqliteEngine({ folder })
  const { tenant, key, hash } = newTenant({ zone: 'Europe/Berlin' })
  await engine.access.createTenant(tenant, key, hash, null)
  place = await settle(engine, tenant.id)
  caller = { kind: 'key', id: key.id, tenant: tenant.id, role: 'owner', request_id: 'req_1', client: '192.0.2.1' }
  schedules = createSchedulesService({
    engine,
    findStage: async (of, _skill, stage) => (await engine.skills.findStage(of, place.skill.id, stage))!,
    checkInput: async () => {},
    now: () => at,
  })
})
afterEach(async () => {
  for (const ticker of tickers) await ticker.stop()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const put = (spec: Partial<ScheduleSpec>) =>
  schedules.put(caller, 'notes', 'prod', ScheduleSpec.parse({ cron: '0 * * * *', ...spec }))
const setEnabled = (enabled: boolean) => schedules.setEnabled(caller, 'notes', 'prod', enabled)
const find = () => schedules.find(caller.tenant, 'notes', 'prod')
const times = async (count: number) =>
  (await schedules.outlook(caller.tenant, 'notes', 'prod', count)).next.map(({ utc }) => utc)

/** Sets the clock and lets what is due fire. @returns Once something came of it. */
async function tickAt(instant: number): Promise<void> {
  at = instant
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { plan } = createPlanner({
    engine,
    schemas: { validate: async () => [] },
    deployments: createDeploymentCache(engine),
  })
  const ticker = createTicker({ engine, plan, now: () => at, onFired: () => resolve(), onError: reject })
  tickers.push(ticker)
  ticker.start()
  await promise
  await ticker.stop()
}

test('what fired is the last of the schedule, is listed, and began a run with its input', async () => {
  await put({ input: { a: 1 } })
  await tickAt(Date.parse('2026-11-21T13:00:00Z'))
  const { last, next_at } = await find()
  expect(last).toMatchObject({ scheduled_for: '2026-11-21T13:00:00.000Z', outcome: 'started' })
  expect(next_at).toBe('2026-11-21T14:00:00.000Z')
  expect(await engine.runs.find(caller.tenant, last!.run!)).toMatchObject({
    input: { a: 1 },
    scheduled_for: last!.scheduled_for,
    created_by: `schedule:${place.stage.id}`,
  })
  await schedules.remove(caller, 'notes', 'prod')
  expect((await schedules.fires(caller.tenant, 'notes', 'prod', { limit: 10 })).items).toEqual([last])
})

test('one that is resumed has its next instant after that, and makes up for nothing', async () => {
  await put({})
  await setEnabled(false)
  at = Date.parse('2026-11-21T15:20:00Z')
  expect((await setEnabled(true)).next_at).toBe('2026-11-21T16:00:00.000Z')
  await tickAt(Date.parse('2026-11-21T16:00:00Z'))
  const { items } = await schedules.fires(caller.tenant, 'notes', 'prod', { limit: 10 })
  expect(items.map(({ scheduled_for }) => scheduled_for)).toEqual(['2026-11-21T16:00:00.000Z'])
})

test('one that is over can be paused but not resumed, and its outlook is empty', async () => {
  await put({ ends_at: textOf(START + 3_600_001) })
  expect(await times(5)).toEqual(['2026-11-21T13:00:00.000Z'])
  at = START + 7_200_000
  expect(await times(5)).toEqual([])
  await setEnabled(false)
  await expect(setEnabled(true)).rejects.toMatchObject({ code: 'schedule_invalid' })
  expect((await find()).enabled).toBe(false)
})

test('an instant that its jitter still puts off is the next one, and a change that names it too keeps it', async () => {
  const instant = Date.parse('2026-11-21T13:00:00Z')
  await put({ jitter_s: 3600 })
  at = instant + 1
  expect(await times(2)).toEqual(['2026-11-21T13:00:00.000Z', '2026-11-21T14:00:00.000Z'])
  expect((await put({ jitter_s: 3600, cron: '0,30 * * * *' })).next_at).toBe('2026-11-21T13:00:00.000Z')
  expect((await put({ jitter_s: 3600, cron: '30 * * * *' })).next_at).toBe('2026-11-21T13:30:00.000Z')
})

test('others get their turn while far instants are looked for', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const timing = { cron: '0 0 29 2 *', zone: 'UTC', starts_at: null, ends_at: null }
  for (let i = 0; i < 20; i++) await schedules.preview(caller.tenant, timing, 100)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})
