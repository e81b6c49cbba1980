import { describe, expect, test } from 'vitest'
import { type Cron, parseCron } from './cron.ts'
import { toEventBridge } from './eventbridge.ts'
import { matcher } from './fixtures/eventbridge-matcher.ts'
import { randomExpression } from './fixtures/random-cron.ts'
import { random } from './fixtures/schedules.ts'
import { type Segment, segmentsOf, shownIn } from './fixtures/zone-clock.ts'
import { type Instants, createInstants } from './instants.ts'

/** Ten years each, those in which there is something to see: Sao Paulo gave summer time up, Apia left a day out. */
const ZONES = [
  ['America/New_York', 2026],
  ['Australia/Lord_Howe', 2026],
  ['America/Sao_Paulo', 2010],
  ['Europe/Dublin', 2026],
  ['Pacific/Apia', 2008],
] as const

const MINUTE = 60_000
const EXPRESSIONS = 2000
/** Of each zone, so many that fire seldom are followed through all ten years. */
const FOLLOWED = 10
const SELDOM = 300

const MINUTES = Array.from({ length: 1440 }, (_, minute) => ({ minute, date: new Date(minute * MINUTE) }))

/**
 * The instants of EventBridge expressions by what a zone's clocks show: each minute that an expression names; of those that are shown twice
 * the first, unless the expression means every hour.
 */
function reader(
  expressions: readonly string[],
  segments: readonly Segment[],
): (from: number) => Generator<number, void> {
  const matchers = expressions.map(matcher)
  const everyHour = expressions[0]!.split(' ')[1] === '*'
  const times = MINUTES.filter(({ date }) => matchers[0]!.time(date)).map(({ minute }) => minute)
  const dayFits = (date: Date): boolean => matchers.some(({ day }) => day(date))
  return function* (from) {
    for (const { at, again } of shownIn(segments, from, dayFits, times)) if (everyHour || !again) yield at
  }
}

function first(count: number, instants: Iterable<number>): number[] {
  const found: number[] = []
  for (const at of instants) if (found.push(at) === count) break
  return found
}

/** Those that we fire. */
function* fired(instants: Instants, after: number, before: number): Generator<number, void> {
  for (let at = instants.after(after); at !== null && at < before; at = instants.after(at)) yield at
}

describe.each(ZONES)('in %s, ten years from %i on', (zone, year) => {
  const [start, end] = [Date.UTC(year, 0, 1), Date.UTC(year + 10, 0, 1)]
  const segments = segmentsOf(zone, start, end)
  const changes = segments.slice(1).map(({ from }, i) => ({ change: from, offset: segments[i]!.offset }))

  /** One time, which the clocks show, leave out or repeat around that change, on days of all kinds. */
  function exactly({ change, offset }: (typeof changes)[number], pick: (below: number) => number): string {
    const time = new Date(change + offset + (pick(150) - 75) * MINUTE)
    const [, , ...days] = randomExpression(pick).split(' ')
    return [time.getUTCMinutes(), time.getUTCHours(), ...days].join(' ')
  }

  test('EventBridge expressions and ours name the same instants', () => {
    expect(changes.length).toBeGreaterThanOrEqual(16)
    const pick = random(year + zone.length)
    let [followed, around] = [0, 0]
    for (let i = 0; i < EXPRESSIONS / ZONES.length; i++) {
      const one = changes[pick(changes.length)]!
      const text = i % 4 === 0 ? exactly(one, pick) : randomExpression(pick)
      let cron: Cron
      try {
        cron = parseCron(text)
      } catch {
        continue
      }
      const named = reader(toEventBridge(cron), segments)
      const instants = createInstants(cron, zone)
      const compare = (from: number, count: number): number[] => {
        const expected = first(count, named(from))
        const found = first(count, fired(instants, from - 1, end))
        expect(found, `${text} from ${new Date(from).toISOString()}`).toEqual(expected)
        return expected
      }
      // Around a change of the clocks, and anywhere.
      const { change } = one
      const found = compare(change + (pick(150) - 75) * MINUTE, 8)
      if (found.some((at) => Math.abs(at - change) <= 75 * MINUTE)) around++
      compare(start + pick(9 * 365 * 1440) * MINUTE, 2)
      const seldom = cron.minutes.length * cron.hours.length * cron.months.length <= 12
      if (seldom && followed < FOLLOWED && compare(start, SELDOM).length > 0) followed++
    }
    expect([followed, around > 50]).toEqual([FOLLOWED, true])
  })
})
