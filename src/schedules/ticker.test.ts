import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LONG, type Place, SUCCEEDED, newNote, settle } from '../backends/contract/engine-fixtures.ts'
import { MINUTE, T0, firesOf, nextAt, planned, putSchedule } from '../backends/contract/schedule-fixtures.ts'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { now as textOf } from '../model/json.ts'
import { addStages, drive, planFor } from './fixtures/drive.ts'
import { random } from './fixtures/schedules.ts'
import { type Ticker, type TickerOptions, createTicker } from './ticker.ts'

let folder: string
let engine: SqlEngine
const tickers: Ticker[] = []
const errors: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-ticker-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await Promise.all(tickers.splice(0).map((ticker) => ticker.stop()))
  await engine.close()
  await rm(folder, { recursive: true, force: true })
  expect(errors.splice(0)).toEqual([])
})

const onError = (error: unknown, doing: string): void => void errors.push(`${doing}: ${String(error)}`)

/** Started, and stopped after the test. Errors that a test expects it takes out of `errors`. */
function startTicker(options: Pick<TickerOptions, 'plan'> & Partial<TickerOptions>): Ticker {
  const ticker = createTicker({ engine, onError, ...options })
  tickers.push(ticker)
  ticker.start()
  return ticker
}

/** Resolves when a run is queued the next time. */
function queued(): Promise<void> {
  return new Promise((resolve) => {
    const end = engine.runs.watchQueue(() => {
      end()
      resolve()
    })
  })
}

/** Does not fire a second time while a test is waiting. */
const ONCE = { cron: '0 0 1 1 *', zone: 'UTC' }

const outcomes = async (place: Place): Promise<string[]> => (await firesOf(engine, place)).map(({ outcome }) => outcome)

test('fires when it is time, also what was put meanwhile, and never before', async () => {
  const place = await settle(engine)
  const [other] = await addStages(engine, place, 1)
  const fired: [string, number | null][] = []
  startTicker({ plan: planFor([place, other!]), onFired: (...one) => fired.push(one) })
  for (const one of [place, other!]) {
    const due = Date.now() + 120
    const instant = due - (due % MINUTE)
    const whenQueued = queued()
    await putSchedule(engine, one, ONCE, { instant, due })
    await whenQueued
    expect(Date.now()).toBeGreaterThanOrEqual(due)
    expect(await firesOf(engine, one)).toMatchObject([{ scheduled_for: textOf(instant), outcome: 'started' }])
    const { next_at } = (await engine.schedules.findSchedule(one.tenant, one.stage.id))!
    expect(next_at).toMatch(/-01-01T00:00:00.000Z$/)
  }
  expect(fired).toEqual([
    ['started', expect.any(Number)],
    ['started', expect.any(Number)],
  ])
})

test('two at once and clocks that jump: one run for each instant that was not missed', async () => {
  const pick = random(20261123)
  const base = await settle(engine)
  const places = [base, ...(await addStages(engine, base, 7))]
  let clock = T0
  const [left, right] = [drive(engine.schedules), drive(engine.schedules)]
  for (const { engine: own } of [left, right]) startTicker({ engine: own, plan: planFor(places), now: () => clock })
  for (const [i, place] of places.entries()) {
    const change = { jitter_s: i % 2 === 0 ? 0 : 45, catch_up: i % 3 === 0 ? 'none' : 'latest' } as const
    await putSchedule(engine, place, change, nextAt(T0 + MINUTE))
  }
  for (let round = 0; round < 40; round++) {
    const jump = pick(10)
    clock += jump === 0 ? -60 * MINUTE : jump === 1 ? 60 * MINUTE : pick(2 * MINUTE)
    // Put again, as it is: as often as not in the minute of a fire.
    if (round % 8 === 7) await putSchedule(engine, places[pick(8)]!, {}, nextAt(clock - (clock % MINUTE)))
    await Promise.all([left.look(), right.look()])
  }
  for (const place of places) {
    const fires = await firesOf(engine, place)
    expect(fires.length).toBeGreaterThan(10)
    const begun = fires.filter(({ outcome }) => outcome === 'started')
    const runs = (await engine.runs.list(place.tenant, { stage: place.stage.id, limit: 200 })).items
    const instants = runs.map(({ scheduled_for }) => scheduled_for!)
    expect(instants.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(begun.map((one) => one.scheduled_for))
    expect(new Set(instants).size).toBe(runs.length)
  }
})

test('many at once go in several transactions, one look at a time, before any of their runs begins', async () => {
  const base = await settle(engine)
  const places = await addStages(engine, base, 250)
  for (const place of places) await putSchedule(engine, place)
  const driven = drive(engine.schedules)
  const batches: number[] = []
  let looks = 0
  const { schedules } = driven.engine
  const own: TickerOptions['engine'] = {
    schedules: {
      ...schedules,
      fire(orders) {
        batches.push(orders.length)
        return schedules.fire(orders)
      },
      due(at, limit, after) {
        if (after === undefined) expect(++looks).toBe(1)
        return schedules.due(at, limit, after)
      },
      nextDue(after) {
        looks--
        return schedules.nextDue(after)
      },
    },
  }
  /** How many transactions there had been when runs could begin again. */
  const held: number[] = []
  startTicker({
    engine: own,
    plan: planFor(places),
    now: () => T0 + 10,
    hold: () => () => void held.push(batches.length),
  })
  await Promise.all(Array.from({ length: 5 }, () => driven.look()))
  expect(held).toEqual([8])
  expect(batches).toEqual([32, 32, 32, 32, 32, 32, 32, 26])
  expect(await engine.schedules.due(T0 + 10, 10)).toEqual([])
})

test('a tenant whose plans take long holds up nobody else, and is served in the end', async () => {
  const [slow, quick] = [await settle(engine), await settle(engine)]
  const slowOnes = await addStages(engine, slow, 120)
  for (const place of [...slowOnes, quick]) await putSchedule(engine, place, {}, nextAt(place === quick ? T0 + 1 : T0))
  const driven = drive(engine.schedules)
  const gate = Promise.withResolvers<void>()
  let waiting = 0
  const plan = planFor([...slowOnes, quick])
  startTicker({
    engine: driven.engine,
    now: () => T0 + 2,
    async plan(order) {
      if (order.tenant === slow.tenant) {
        waiting++
        await gate.promise
      }
      return plan(order)
    },
  })
  await driven.look()
  expect(await outcomes(quick)).toEqual(['started'])
  // No more of them than the first page had.
  await driven.look()
  expect(waiting).toBe(32)
  const served = queued()
  gate.resolve()
  await served
  for (let left = 120; left > 0; left = (await engine.schedules.due(T0 + 2, 200)).length) await driven.look()
  expect((await Promise.all(slowOnes.map(outcomes))).flat()).toEqual(Array<string>(120).fill('started'))
})

test('one that fails is told of and tried again; the others are fired', async () => {
  const base = await settle(engine)
  const [bad, good] = (await addStages(engine, base, 2)) as [Place, Place]
  const due = { instant: Date.now() - (Date.now() % MINUTE), due: Date.now() }
  for (const place of [bad, good]) await putSchedule(engine, place, ONCE, due)
  const plan = planFor([bad, good])
  let attempts = 0
  const first = queued()
  startTicker({
    plan: (order) =>
      order.stage === bad.stage.id && ++attempts === 1 ? Promise.reject(new Error('no such deployment')) : plan(order),
  })
  await first
  expect(await outcomes(good)).toEqual(['started'])
  expect(await outcomes(bad)).toEqual([])
  await queued()
  expect(await outcomes(bad)).toEqual(['started'])
  expect(errors.splice(0)).toEqual([`firing the schedule of stage ${bad.stage.id}: Error: no such deployment`])
})

test('while nothing can be written, it is told and tried again', async () => {
  const place = await settle(engine)
  await putSchedule(engine, place, ONCE, { instant: Date.now() - (Date.now() % MINUTE), due: Date.now() })
  let full = true
  const fire: TickerOptions['engine']['schedules']['fire'] = (orders) => {
    if (!full) return engine.schedules.fire(orders)
    full = false
    return Promise.reject(new Error('the disk is full'))
  }
  startTicker({ engine: { schedules: { ...engine.schedules, fire } }, plan: planFor([place]) })
  await queued()
  expect(await outcomes(place)).toEqual(['started'])
  expect(errors.splice(0)).toEqual(['firing schedules: Error: the disk is full'])
})

test('a zone that is gone is told of, and its schedule is out of the way', async () => {
  const place = await settle(engine)
  await putSchedule(engine, place, { zone: 'Mars/Olympus' })
  const driven = drive(engine.schedules)
  startTicker({ engine: driven.engine, plan: planFor([place]), now: () => T0 + 10 })
  await driven.look()
  await driven.look()
  expect(await engine.schedules.findSchedule(place.tenant, place.stage.id)).toMatchObject({
    enabled: true,
    next_at: null,
    last: { scheduled_for: textOf(T0), outcome: 'missed' },
  })
  expect(errors.splice(0)).toEqual([
    expect.stringContaining(`${place.stage.id} fires no more: "* * * * *" in Mars/Olympus`),
  ])
})

test('the worker learns at once which run has to make way', async () => {
  const place = await settle(engine)
  await putSchedule(engine, place, { overlap: 'cancel_other' })
  const driven = drive(engine.schedules)
  let clock = T0
  const cancelled: string[] = []
  startTicker({ engine: driven.engine, plan: planFor([place]), now: () => clock, cancel: (run) => cancelled.push(run) })
  await driven.look()
  const [claim] = await engine.runs.take('default', 1, LONG)
  clock += MINUTE
  await driven.look()
  expect(cancelled).toEqual([claim!.run.id])
  await engine.runs.finish(claim!.run.id, claim!.token, SUCCEEDED)
  const [next] = await engine.runs.take('default', 1, LONG)
  expect(next!.run.id).toBe(planned(place, T0 + MINUTE).run.id)
})

test('stopping lets what is being written be written, and begins nothing more', async () => {
  const place = await settle(engine)
  await putSchedule(engine, place)
  const driven = drive(engine.schedules)
  const begun = Promise.withResolvers<void>()
  let written = false
  const { schedules } = driven.engine
  const ticker = startTicker({
    engine: {
      schedules: {
        ...schedules,
        async fire(orders) {
          begun.resolve()
          const results = await schedules.fire(orders)
          written = true
          return results
        },
      },
    },
    plan: planFor([place]),
    now: () => T0,
  })
  ticker.start()
  await begun.promise
  await Promise.all([ticker.stop(), ticker.stop()])
  expect(written).toBe(true)
  ticker.start()
  await engine.schedules.deleteSchedule(place.tenant, place.stage.id, newNote(place.tenant, 'schedule.delete'))
  expect(await outcomes(place)).toEqual(['started'])
})
