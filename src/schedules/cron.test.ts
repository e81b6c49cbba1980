import { describe, expect, test } from 'vitest'
import { type Cron, parseCron } from './cron.ts'
import { toEventBridge } from './eventbridge.ts'

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

/** Reads EventBridge's grammar from its own documentation, and knows nothing of ours. */
function matcher(expression: string): (date: Date) => { time: boolean; day: boolean } {
  const [minute, hour, day, month, weekday, year] = /^cron\((.*)\)$/.exec(expression)![1]!.split(' ') as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  expect(expression.length).toBeLessThanOrEqual(256)
  expect([day, weekday].filter((text) => text === '?')).toHaveLength(1)
  expect(year).toBe('*')
  const minutes = allowed(minute, 0, 59)
  const hours = allowed(hour, 0, 23)
  const days = allowed(day, 1, 31)
  const months = allowed(month, 1, 12)
  const weekdays = allowed(weekday, 1, 7)
  return (date) => ({
    time: minutes.has(date.getUTCMinutes()) && hours.has(date.getUTCHours()),
    day: months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay() + 1),
  })
}

function allowed(text: string, min: number, max: number): Set<number> {
  const values = new Set<number>()
  for (const part of text === '*' || text === '?' ? [`${min}-${max}`] : text.split(',')) {
    const [from, to = from] = part.split('-').map(Number) as [number, number?]
    if (!(from >= min && to! <= max && from <= to!)) throw new Error(`${part} is not a range within ${min} to ${max}`)
    for (let value = from; value <= to!; value++) values.add(value)
  }
  return values
}

function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function randomField(pick: (below: number) => number, min: number, max: number): string {
  const value = (): number => min + pick(max - min + 1)
  switch (pick(5)) {
    case 0:
    case 1:
      return '*'
    case 2:
      return Array.from({ length: 1 + pick(5) }, value).join(',')
    case 3: {
      const [from, to] = [value(), value()].toSorted((a, b) => a - b)
      return `${from}-${to}${pick(2) === 0 ? '' : `/${1 + pick(5)}`}`
    }
    default:
      return `*/${1 + pick(9)}`
  }
}

/** Both are matched against the clock on the wall, whatever zone it hangs in: so its days and its minutes are what has to be compared. */
test('EventBridge expressions say the same on every day of ten years and in every minute', () => {
  const pick = random(4)
  const days = Array.from({ length: 3653 }, (_, i) => new Date(Date.UTC(2026, 0, 1 + i)))
  const minutes = Array.from({ length: 1440 }, (_, i) => new Date(Date.UTC(2026, 0, 1, 0, i)))
  for (let i = 0; i < 5000; i++) {
    const text = [
      [0, 59],
      [0, 23],
      [1, 31],
      [1, 12],
      [0, 7],
    ]
      .map(([min, max]) => randomField(pick, min!, max!))
      .join(' ')
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
    const wrongDay = days.find((date) => dayFits(date) !== matchers.some((match) => match(date).day))
    expect(wrongDay, text).toBeUndefined()
    const wrongMinute = minutes.find(
      (date) =>
        (cron.minutes.includes(date.getUTCMinutes()) && cron.hours.includes(date.getUTCHours())) !==
        matchers[0]!(date).time,
    )
    expect(wrongMinute, text).toBeUndefined()
  }
})
