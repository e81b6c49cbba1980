import { describe, expect, test } from 'vitest'
import { type Cron, parseCron } from './cron.ts'
import { toEventBridge } from './eventbridge.ts'
import { matcher } from './fixtures/eventbridge-matcher.ts'
import { randomExpression } from './fixtures/random-cron.ts'
import { random } from './fixtures/schedules.ts'

describe('what is read', () => {
  test('lists, ranges, steps and names', () => {
    expect(parseCron(' 0,30  8-10/2 1,15 jan-MAR Mon-Fri ')).toEqual({
      minutes: [0, 30],
      hours: [8, 10],
      days: [1, 15],
      months: [1, 2, 3],
      weekdays: [1, 2, 3, 4, 5],
    })
  })

  test.each(['7', '0', 'SUN', 'sun'])('Sunday as %s', (text) =>
    expect(parseCron(`0 0 * * ${text}`).weekdays).toEqual([0]),
  )

  test.each([
    ['5-7', [0, 5, 6]],
    ['FRI-SUN', [0, 5, 6]],
    ['0-7', [0, 1, 2, 3, 4, 5, 6]],
    ['*/2', [0, 2, 4, 6]],
    ['7-7', [0]],
  ])('weekdays %s', (text, weekdays) => expect(parseCron(`0 0 * * ${text}`).weekdays).toEqual(weekdays))
})

test.each([
  ['', 'has 0 fields'],
  ['* * * *', 'has 4 fields'],
  ['0 * * * * *', 'has 6 fields'],
  ['@daily', 'has 1 fields'],
  ['60 * * * *', 'minute "60" is not 0 to 59'],
  ['* 24 * * *', 'hour "24"'],
  ['* * 0 * *', 'day of month "0"'],
  ['* * 32 * *', 'day of month "32"'],
  ['* * * 13 *', 'month "13" is not 1 to 12 or JAN to DEC'],
  ['* * * FOO *', 'month "FOO"'],
  ['* * * * 8', 'day of week "8"'],
  ['* * L * *', 'L, W, #'],
  ['* * 15W * *', 'L, W, #'],
  ['* * * * FRI#2', 'L, W, #'],
  ['* * * * 5L', 'L, W, #'],
  ['* * ? * *', 'L, W, #'],
  ['*/0 * * * *', 'step of 0'],
  ['5/10 * * * *', 'step without a range'],
  ['30-10 * * * *', 'runs backwards'],
  ['* 22-2 * * *', 'runs backwards'],
  ['-1 * * * *', 'minute "-1"'],
  ['1, * * * *', 'minute ""'],
  ['1.5 * * * *', 'minute "1.5"'],
  ['0 0 30 2 *', 'would never fire'],
  ['0 0 31 4,6,9,11 *', 'would never fire'],
  [`${'0,'.repeat(200)}0 * * * *`, '256'],
])('%j is refused', (text, message) => {
  expect(() => parseCron(text)).toThrow(
    expect.objectContaining({ code: 'cron_invalid', message: expect.stringContaining(message) }),
  )
})

/** Both are matched against the clock on the wall, whatever zone it hangs in: so its days and its minutes are what has to be compared. */
test('EventBridge expressions say the same on every day of ten years and in every minute', () => {
  const pick = random(4)
  const days = Array.from({ length: 3653 }, (_, i) => new Date(Date.UTC(2026, 0, 1 + i)))
  const minutes = Array.from({ length: 1440 }, (_, i) => new Date(Date.UTC(2026, 0, 1, 0, i)))
  for (let i = 0; i < 2000; i++) {
    const text = randomExpression(pick)
    let cron: Cron
    try {
      cron = parseCron(text)
    } catch {
      continue
    }
    const matchers = toEventBridge(cron).map(matcher)
    const either = cron.days.length < 31 && cron.weekdays.length < 7
    const [allDays, allWeekdays, allMonths] = [new Set(cron.days), new Set(cron.weekdays), new Set(cron.months)]
    const dayFits = (date: Date): boolean => {
      const day = allDays.has(date.getUTCDate())
      const weekday = allWeekdays.has(date.getUTCDay())
      return allMonths.has(date.getUTCMonth() + 1) && (either ? day || weekday : day && weekday)
    }
    const wrongDay = days.find((date) => dayFits(date) !== matchers.some(({ day }) => day(date)))
    expect(wrongDay, text).toBeUndefined()
    const timeFits = (date: Date): boolean =>
      cron.minutes.includes(date.getUTCMinutes()) && cron.hours.includes(date.getUTCHours())
    const wrongMinute = minutes.find((date) => matchers.some(({ time }) => time(date) !== timeFits(date)))
    expect(wrongMinute, text).toBeUndefined()
  }
})
