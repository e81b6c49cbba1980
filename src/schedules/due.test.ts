import { expect, test } from 'vitest'
import type { DueSchedule, NextFire } from '../backends/flow-ports.ts'
import { decide, firstFire } from './due.ts'
import { newDue, random } from './fixtures/schedules.ts'
import { createExpressions } from './expressions.ts'
import type { Instants } from './instants.ts'

const compile = createExpressions()
const at = (text: string): number => Date.parse(`${text}Z`)
const shown = (instant: number): string => new Date(instant).toISOString().slice(0, 16)

/** What is decided about a schedule whose next instant is `expected`, looked at then; in short. */
function decided(due: DueSchedule, now: string): { fires: string | null; missed: string | null; next: string | null } {
  const { fires, missed, next } = decide(due, compile(due.schedule.cron, due.schedule.zone), at(now))
  return {
    fires: fires && shown(fires.instant),
    missed: missed && `${shown(missed.first)} to ${shown(missed.last)}`,
    next: next && shown(next.instant),
  }
}

const QUARTERS = { cron: '*/15 * * * *' }

test.each([
  ['on time', '2026-05-01T12:00:00.020', QUARTERS, '2026-05-01T12:00', null, '2026-05-01T12:15'],
  ['late', '2026-05-01T12:14', QUARTERS, '2026-05-01T12:00', null, '2026-05-01T12:15'],
  [
    'one more came meanwhile',
    '2026-05-01T12:15',
    QUARTERS,
    '2026-05-01T12:15',
    '2026-05-01T12:00 to 2026-05-01T12:00',
    '2026-05-01T12:30',
  ],
  [
    'many came',
    '2026-05-02T12:20',
    QUARTERS,
    '2026-05-02T12:15',
    '2026-05-01T12:00 to 2026-05-02T12:00',
    '2026-05-02T12:30',
  ],
  [
    'too late',
    '2026-05-01T12:11',
    { ...QUARTERS, catch_up_window_s: 600 },
    null,
    '2026-05-01T12:00 to 2026-05-01T12:00',
    '2026-05-01T12:15',
  ],
  [
    'nothing is made up for',
    '2026-05-01T12:00:11',
    { ...QUARTERS, catch_up: 'none' as const },
    null,
    '2026-05-01T12:00 to 2026-05-01T12:00',
    '2026-05-01T12:15',
  ],
  [
    'nothing is made up for, and it is not late',
    '2026-05-01T12:00:09',
    { ...QUARTERS, catch_up: 'none' as const },
    '2026-05-01T12:00',
    null,
    '2026-05-01T12:15',
  ],
  [
    'the latest is on time',
    '2026-05-01T12:45:01',
    { ...QUARTERS, catch_up: 'none' as const },
    '2026-05-01T12:45',
    '2026-05-01T12:00 to 2026-05-01T12:30',
    '2026-05-01T13:00',
  ],
  [
    'it has ended',
    '2026-05-01T18:00',
    { ...QUARTERS, ends_at: '2026-05-01T12:30:00.000Z', catch_up_window_s: 86_400 },
    '2026-05-01T12:15',
    '2026-05-01T12:00 to 2026-05-01T12:00',
    null,
  ],
])('%s', (_what, now, change, fires, missed, next) => {
  expect(decided(newDue('2026-05-01T12:00Z', change), now)).toEqual({ fires, missed, next })
})

test('a night in which clocks are changed fires what it has', () => {
  const newYork = { zone: 'America/New_York', catch_up_window_s: 86_400 }
  // 2:30 does not exist on the 8th.
  expect(decided(newDue('2026-03-07T07:30Z', { ...newYork, cron: '30 2 * * *' }), '2026-03-09T06:30')).toEqual({
    fires: '2026-03-09T06:30',
    missed: '2026-03-07T07:30 to 2026-03-07T07:30',
    next: '2026-03-10T06:30',
  })
  // 1:30 occurs twice on 1 November.
  expect(decided(newDue('2026-11-01T05:30Z', { ...newYork, cron: '30 1 * * *' }), '2026-11-01T06:40')).toEqual({
    fires: '2026-11-01T05:30',
    missed: null,
    next: '2026-11-02T06:30',
  })
  expect(decided(newDue('2026-11-01T05:30Z', { ...newYork, cron: '30 * * * *' }), '2026-11-01T06:40')).toEqual({
    fires: '2026-11-01T06:30',
    missed: '2026-11-01T05:30 to 2026-11-01T05:30',
    next: '2026-11-01T07:30',
  })
})

test('whoever slept a year finds the latest instant with few questions', () => {
  for (const cron of ['* * * * *', '* * * 1 *', '0 0 29 2 *', '*/7 3 1 */2 *']) {
    const inner = compile(cron, 'Europe/Berlin')
    let questions = 0
    const counted: Instants = {
      after(instant) {
        questions++
        return inner.after(instant)
      },
    }
    const first = inner.after(at('2023-12-31T00:00'))!
    const { fires, missed, next } = decide(
      newDue(new Date(first).toISOString(), { cron, zone: 'Europe/Berlin', catch_up_window_s: 86_400 }),
      counted,
      at('2024-12-30T23:30:30'),
    )
    expect(questions, cron).toBeLessThan(150)
    // It is the latest: the next one after it has not come yet.
    const latest = fires?.instant ?? missed!.last
    expect(inner.after(latest), cron).toBe(next!.instant)
    expect(next!.instant, cron).toBeGreaterThan(at('2024-12-30T23:30:30'))
  }
})

test('jitter is the same each time, spread over its time, and never past the next instant', () => {
  const hourly = delays('stg_1', 3000, '0 * * * *')
  expect(delays('stg_1', 3000, '0 * * * *')).toEqual(hourly)
  expect(delays('stg_2', 3000, '0 * * * *')).not.toEqual(hourly)
  for (let tenth = 0; tenth < 10; tenth++) {
    const inside = hourly.filter((delay) => delay >= tenth * 300_000 && delay < (tenth + 1) * 300_000)
    expect(inside.length).toBeGreaterThan(60)
    expect(inside.length).toBeLessThan(140)
  }
  expect(Math.min(...hourly)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...hourly)).toBeLessThan(3_000_000)
  expect(Math.max(...delays('stg_1', 3600, '* * * * *'))).toBeLessThan(60_000)
})

test('an instant that waits for its jitter is fired after those before it', () => {
  const due = newDue('2026-05-01T12:00Z', { cron: '*/10 * * * *', jitter_s: 590, catch_up_window_s: 3600 })
  const instants = compile(due.schedule.cron, 'UTC')
  // The millisecond before the last one is due, an hour later: the one before it fires.
  const last = firstFire(due.schedule, instants, at('2026-05-01T12:59'))!
  expect(shown(last.instant)).toBe('2026-05-01T13:00')
  expect(last.due).toBeGreaterThan(last.instant)
  const early = decide(due, instants, last.due - 1)
  expect([shown(early.fires!.instant), early.next]).toEqual(['2026-05-01T12:50', last])
  expect(shown(early.missed!.last)).toBe('2026-05-01T12:40')
  expect(decide(due, instants, last.due).fires).toEqual(last)
})

test('a schedule that is put fires from now on, and keeps what was pending if it still names it', () => {
  const { schedule } = newDue('2026-05-01T12:00Z', { cron: '0 * * * *', starts_at: '2026-05-02T00:00:00.000Z' })
  const first = (change: object, now: string, pending: string | null = null): string | null => {
    const put = { ...schedule, ...change }
    const fire = firstFire(put, compile(put.cron, put.zone), at(now), pending === null ? null : at(pending))
    return fire && shown(fire.instant)
  }
  expect(first({}, '2026-05-01T12:00')).toBe('2026-05-02T00:00')
  expect(first({ starts_at: null }, '2026-05-01T12:00')).toBe('2026-05-01T13:00')
  expect(first({ starts_at: null, enabled: false }, '2026-05-01T12:00')).toBeNull()
  expect(first({ ends_at: '2026-05-02T00:00:00.000Z' }, '2026-05-01T12:00')).toBeNull()
  expect(first({ starts_at: null }, '2026-05-01T12:20', '2026-05-01T12:00')).toBe('2026-05-01T12:00')
  expect(first({ starts_at: null, cron: '*/30 * * * *' }, '2026-05-01T12:20', '2026-05-01T12:00')).toBe(
    '2026-05-01T12:00',
  )
  expect(first({ starts_at: null, cron: '15 * * * *' }, '2026-05-01T12:20', '2026-05-01T12:00')).toBe(
    '2026-05-01T13:15',
  )
  expect(first({ starts_at: null }, '2026-05-01T12:20', '2026-05-01T17:00')).toBe('2026-05-01T13:00')
})

test('clocks that jump, sleeps and restarts: each instant fires once, is told of as missed once, or is still to come', () => {
  const pick = random(20261122)
  const crons = ['* * * * *', '*/7 * * * *', '30 * * * *', '30 1 * * *', '15,45 0-3 * * 0', '0 6 1 * MON', '0 0 29 2 *']
  const zones = ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Europe/Dublin']
  for (let round = 0; round < 80; round++) {
    const cron = crons[pick(crons.length)]!
    const zone = zones[pick(zones.length)]!
    const instants = compile(cron, zone)
    const window = [10, 600, 3600, 86_400][pick(4)]!
    const schedule = newDue('2026-01-01T00:00Z', {
      stage: `stg_${round}`,
      cron,
      zone,
      jitter_s: [0, 0, 30, 3600][pick(4)]!,
      catch_up: pick(2) === 0 ? 'none' : 'latest',
      catch_up_window_s: window,
    }).schedule
    const begin = at('2026-03-01T00:00') + pick(250 * 86_400_000)
    let clock = begin
    let next: NextFire | null = firstFire(schedule, instants, clock)
    /** In order: how each instant ended. */
    const story: { from: number; to: number; fired: boolean }[] = []
    for (let look = 0; look < 60 && next !== null; look++) {
      const jump = pick(10)
      if (jump === 0) clock -= pick(3_600_000)
      else if (jump === 1) clock += 3_600_000
      else if (jump === 2) clock += pick(10 * 86_400_000)
      else clock = Math.max(clock, next.due) + pick(15_000)
      if (next.due > clock) continue
      const told = decide({ schedule, next }, instants, clock)
      if (told.missed !== null) story.push({ from: told.missed.first, to: told.missed.last, fired: false })
      if (told.fires !== null) {
        story.push({ from: told.fires.instant, to: told.fires.instant, fired: true })
        expect(told.fires.due).toBeLessThanOrEqual(clock)
        const patience = schedule.catch_up === 'none' ? 10_000 : window * 1000
        expect(clock - told.fires.due).toBeLessThanOrEqual(patience)
      }
      // Nothing is left that is due: there is no second look at once.
      if (told.next !== null) expect(told.next.due).toBeGreaterThan(clock)
      next = told.next
    }
    // Without a gap and without an overlap.
    let expected = instants.after(begin)
    for (const { from, to } of story) {
      expect(from, `${cron} in ${zone}`).toBe(expected)
      expect(to).toBe(instants.after(to - 1))
      expect(to).toBeGreaterThanOrEqual(from)
      expected = instants.after(to)
    }
    expect(next?.instant ?? null).toBe(expected)
  }
})

/** By how much the first thousand fires of a year are put off. */
function delays(stage: string, jitter_s: number, cron: string): number[] {
  const instants = compile(cron, 'UTC')
  const found: number[] = []
  let now = at('2026-01-01T00:00')
  while (found.length < 1000) {
    const fire = firstFire({ ...newDue('2026-01-01T00:00Z', { stage, jitter_s, cron }).schedule }, instants, now)!
    found.push(fire.due - fire.instant)
    now = fire.instant
  }
  return found
}
