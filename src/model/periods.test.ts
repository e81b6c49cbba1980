import { expect, test } from 'vitest'
import { dayEnd, monthEnd, periodsAt } from './periods.ts'

const at = (instant: string): number => Date.parse(instant)
const iso = (ms: number): string => new Date(ms).toISOString()

/** Day, month, end of the day, end of the month. */
function told(zone: string, instant: string): string[] {
  const { day, month, dayEnds, monthEnds } = periodsAt(zone, at(instant))
  return [day, month, iso(dayEnds), iso(monthEnds)]
}

test.each([
  ['UTC', '2026-11-21T08:00:00Z', '2026-11-21', '2026-11-22T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['UTC', '2026-12-31T23:59:59.999Z', '2026-12-31', '2027-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['UTC', '2028-02-29T00:00:00Z', '2028-02-29', '2028-03-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  // The day of 23 hours and the day of 25.
  ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29', '2026-03-29T22:00:00.000Z', '2026-03-31T22:00:00.000Z'],
  ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25', '2026-10-25T23:00:00.000Z', '2026-10-31T23:00:00.000Z'],
  // Clocks skip midnight: the day begins at one o'clock.
  ['America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-03', '2018-11-04T03:00:00.000Z', '2018-12-01T02:00:00.000Z'],
  ['Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-23', '2026-04-23T22:00:00.000Z', '2026-04-30T21:00:00.000Z'],
  // Clocks go back at midnight: the last hour of the day comes twice.
  ['Africa/Cairo', '2026-10-29T20:30:00Z', '2026-10-29', '2026-10-29T22:00:00.000Z', '2026-10-31T22:00:00.000Z'],
  ['Africa/Cairo', '2026-10-29T21:30:00Z', '2026-10-29', '2026-10-29T22:00:00.000Z', '2026-10-31T22:00:00.000Z'],
  // The first and the last to see a day.
  ['Pacific/Kiritimati', '2026-11-30T10:00:00Z', '2026-12-01', '2026-12-01T10:00:00.000Z', '2026-12-31T10:00:00.000Z'],
  ['Etc/GMT+12', '2026-12-01T11:59:59Z', '2026-11-30', '2026-12-01T12:00:00.000Z', '2026-12-01T12:00:00.000Z'],
  ['Asia/Kathmandu', '2026-11-21T18:14:59Z', '2026-11-21', '2026-11-21T18:15:00.000Z', '2026-11-30T18:15:00.000Z'],
  // Samoa left out 30 December.
  ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
])('in %s at %s it is %s', (zone, instant, day, dayEnds, monthEnds) => {
  expect(told(zone, instant)).toEqual([day, day.slice(0, 7), dayEnds, monthEnds])
})

test.each(['Europe/Berlin', 'Africa/Cairo', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Chatham', 'UTC'])(
  'the days of a year in %s follow one another without a gap',
  (zone) => {
    let now = periodsAt(zone, at('2026-01-01T12:00:00Z'))
    for (let days = 0; days < 366; days++) {
      expect(periodsAt(zone, now.dayEnds - 1).day).toBe(now.day)
      const next = periodsAt(zone, now.dayEnds)
      expect(next.day > now.day).toBe(true)
      expect(next.dayEnds - now.dayEnds).toBeGreaterThanOrEqual(23 * 3_600_000)
      expect(next.dayEnds - now.dayEnds).toBeLessThanOrEqual(25 * 3_600_000)
      if (next.month !== now.month) expect(now.monthEnds).toBe(now.dayEnds)
      now = next
    }
  },
)

test('a clock that jumps back is told the day that it shows', () => {
  expect(told('Asia/Tokyo', '2026-11-21T15:00:00Z')[0]).toBe('2026-11-22')
  expect(told('Asia/Tokyo', '2026-11-21T14:59:59Z')[0]).toBe('2026-11-21')
  expect(told('Asia/Tokyo', '2026-11-21T15:00:00Z')[0]).toBe('2026-11-22')
})

test('the end of a day and a month by name', () => {
  expect(iso(dayEnd('Europe/Berlin', '2026-12-31'))).toBe('2026-12-31T23:00:00.000Z')
  expect(iso(monthEnd('Europe/Berlin', '2026-12'))).toBe('2026-12-31T23:00:00.000Z')
  expect(dayEnd('Pacific/Apia', '2011-12-30')).toBe(dayEnd('Pacific/Apia', '2011-12-29'))
})

test('a zone that does not exist is refused', () => {
  expect(() => periodsAt('Mars/Olympus', Date.now())).toThrow(RangeError)
})
