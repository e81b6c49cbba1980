import { describe, expect, test } from 'vitest'
import { parseCron } from './cron.ts'
import { createInstants } from './instants.ts'
import { wallClock } from './wall-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function between(expression: string, zone: string, from: string, to: string): string[] {
  const instants = createInstants(parseCron(expression), zone)
  const found: string[] = []
  for (let at = instants.after(Date.parse(from) - 1); at !== null && at < Date.parse(to); at = instants.after(at)) {
    found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

/** Zones, expressions and what they do around a change of the clocks; instants in UTC. */
const TABLE: readonly [what: string, expression: string, zone: string, from: string, to: string, expected: string[]][] =
  [
    [
      'New York: 2:30 does not exist',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      '2026-03-09T12:00Z',
      ['2026-03-09T06:30'],
    ],
    [
      'New York: 1:30 occurs twice',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      '2026-11-02T12:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'New York: lists and ranges occur once too',
      '30 0-2 * * *',
      'America/New_York',
      '2026-11-01T04:00Z',
      '2026-11-01T08:00Z',
      ['2026-11-01T04:30', '2026-11-01T05:30', '2026-11-01T07:30'],
    ],
    [
      'New York: every hour follows elapsed time',
      '0 * * * *',
      'America/New_York',
      '2026-11-01T04:00Z',
      '2026-11-01T08:00Z',
      ['2026-11-01T04:00', '2026-11-01T05:00', '2026-11-01T06:00', '2026-11-01T07:00'],
    ],
    [
      'Sao Paulo 2018: midnight does not exist',
      '0 0 * * *',
      'America/Sao_Paulo',
      '2018-11-03T00:00Z',
      '2018-11-06T00:00Z',
      ['2018-11-03T03:00', '2018-11-05T02:00'],
    ],
    [
      'Sao Paulo 2018: 23:30 occurs twice',
      '30 23 * * *',
      'America/Sao_Paulo',
      '2018-02-17T12:00Z',
      '2018-02-19T12:00Z',
      ['2018-02-18T01:30', '2018-02-19T02:30'],
    ],
    [
      'Lord Howe: half an hour forward',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T16:00Z',
      '2026-10-05T00:00Z',
      ['2026-10-04T15:15'],
    ],
    [
      'Lord Howe: half an hour back',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-03T16:00Z',
      '2026-04-05T23:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    [
      'Dublin: 1:30 in spring',
      '30 1 * * *',
      'Europe/Dublin',
      '2026-03-28T12:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-30T00:30'],
    ],
    [
      'Dublin: 1:30 in autumn',
      '30 1 * * *',
      'Europe/Dublin',
      '2026-10-24T12:00Z',
      '2026-10-26T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'Apia: the lost 30 December 2011',
      '0 12 * * *',
      'Pacific/Apia',
      '2011-12-29T00:00Z',
      '2012-01-01T00:00Z',
      ['2011-12-29T22:00', '2011-12-30T22:00', '2011-12-31T22:00'],
    ],
    [
      'Apia: a schedule of the lost day alone',
      '0 12 30 12 *',
      'Pacific/Apia',
      '2011-12-01T00:00Z',
      '2012-12-31T00:00Z',
      ['2012-12-29T22:00'],
    ],
    [
      'Cairo: midnight does not exist',
      '0 0 * * *',
      'Africa/Cairo',
      '2026-04-22T12:00Z',
      '2026-04-25T12:00Z',
      ['2026-04-22T22:00', '2026-04-24T21:00'],
    ],
  ]

describe('changes of the clocks', () => {
  test.each(TABLE)('%s', (_what, expression, zone, from, to, expected) => {
    expect(between(expression, zone, from, to)).toEqual(expected)
  })
})

test('either day counts when both are restricted', () => {
  expect(between('0 0 13 * FRI', 'UTC', '2026-11-01T00:00Z', '2026-11-21T00:00Z')).toEqual([
    '2026-11-06T00:00',
    '2026-11-13T00:00',
    '2026-11-20T00:00',
  ])
  expect(between('0 0 */10 * 1', 'UTC', '2026-11-01T00:00Z', '2026-11-12T00:00Z')).toEqual([
    '2026-11-01T00:00',
    '2026-11-02T00:00',
    '2026-11-09T00:00',
    '2026-11-11T00:00',
  ])
})

test('29 February waits for a leap year', () => {
  expect(between('0 6 29 2 *', 'UTC', '2026-01-01T00:00Z', '2033-01-01T00:00Z')).toEqual([
    '2028-02-29T06:00',
    '2032-02-29T06:00',
  ])
})

/** A generator of numbers that is the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Look {
  readonly at: number
  readonly local: Date
  /** The clocks showed the same before. */
  readonly repeated: boolean
}
const looked = new Map<string, Look[]>()

/** What the clocks of a zone show in every minute of the time; the same for all expressions. */
function everyMinute(zone: string, from: number, to: number): Look[] {
  const key = `${zone} ${from} ${to}`
  const known = looked.get(key)
  if (known !== undefined) return known
  const clock = wallClock(zone)
  const seen = new Set<number>()
  const looks: Look[] = []
  for (let at = from - 6 * HOUR; at < to; at += MINUTE) {
    const shown = clock.shown(at)
    looks.push({ at, local: new Date(shown), repeated: seen.has(shown) })
    seen.add(shown)
  }
  looked.set(key, looks)
  return looks
}

/** What the clocks show is matched, and a time that they showed before is not matched again. */
function oracle(expression: string, zone: string, from: number, to: number): number[] {
  const cron = parseCron(expression)
  const everyHour = cron.hours.length === 24
  const found: number[] = []
  for (const { at, local, repeated } of everyMinute(zone, from, to)) {
    const day = cron.days.includes(local.getUTCDate())
    const weekday = cron.weekdays.includes(local.getUTCDay())
    const both = cron.days.length < 31 && cron.weekdays.length < 7
    if (
      at >= from &&
      cron.minutes.includes(local.getUTCMinutes()) &&
      cron.hours.includes(local.getUTCHours()) &&
      cron.months.includes(local.getUTCMonth() + 1) &&
      (both ? day || weekday : day && weekday) &&
      (!repeated || everyHour)
    ) {
      found.push(at)
    }
  }
  return found
}

const CHANGES: readonly [string, string][] = [
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['Europe/Dublin', '2026-10-25T01:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Antarctica/Troll', '2026-10-25T01:00Z'],
  ['Africa/Cairo', '2026-10-29T21:00Z'],
]

test('as a look at every minute has it, whatever instant it is asked from', () => {
  const pick = random(20261121)
  const fields = [
    ['0', '30', '*/15', '*', '12,45', '5-20/5'],
    ['*', '*', '0', '1', '2', '3', '0-3', '1,2', '*/2', '23'],
    ['*', '*', '*', '1', '*/7', '28-31'],
    ['*', '*', '*', 'OCT', '3-11'],
    ['*', '*', '*', 'SUN', '1-5', '7'],
  ]
  for (let i = 0; i < 300; i++) {
    const expression = fields.map((choices) => choices[pick(choices.length)]!).join(' ')
    const [zone, change] = CHANGES[pick(CHANGES.length)]!
    const from = Date.parse(change) - 5 * HOUR
    const to = Date.parse(change) + 5 * HOUR
    const expected = oracle(expression, zone, from, to)
    const instants = createInstants(parseCron(expression), zone)
    const found: number[] = []
    for (let at = instants.after(from - 1); at !== null && at < to; at = instants.after(at)) found.push(at)
    expect(found, `${expression} in ${zone}`).toEqual(expected)
    const start = from + pick(10 * 60) * MINUTE + pick(60_000)
    const next = instants.after(start)
    expect(
      next !== null && next < to ? next : undefined,
      `${expression} in ${zone} after ${new Date(start).toISOString()}`,
    ).toBe(expected.find((at) => at > start))
  }
})
