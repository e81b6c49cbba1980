import { expect, test } from 'vitest'
import { type Outcome, WAITS_MS, decide, retryAfterMs } from './verdict.ts'

const AT = Date.parse('2026-11-21T08:00:00.000Z')
const DAY_MS = 86_400_000
const first = { attempt: 1, at: AT, failingSince: null, random: () => 0.5 }
const answer = (status: number, retryAfter: string | null = null): Outcome => ({ kind: 'answer', status, retryAfter })

test.each([200, 201, 202, 204, 299])('%i is delivered', (status) => {
  expect(decide(answer(status), first)).toEqual({ status: 'delivered' })
})

test.each([
  100, 101, 199, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 409, 413, 418, 429, 500, 502, 503, 504, 599,
])('%i is tried again', (status) => {
  expect(decide(answer(status), first)).toEqual({ status: 'pending', retryAt: AT + 5000 })
})

test('no answer is tried again; what was refused is not; 410 ends the webhook', () => {
  expect(decide({ kind: 'none' }, first)).toEqual({ status: 'pending', retryAt: AT + 5000 })
  expect(decide({ kind: 'refused' }, first)).toEqual({ status: 'rejected' })
  expect(decide(answer(410), first)).toEqual({ status: 'failed', disable: 'gone' })
})

test('eight attempts over a day, each wait longer than the one before', () => {
  const waits: number[] = []
  for (let attempt = 1; ; attempt++) {
    const verdict = decide({ kind: 'none' }, { ...first, attempt })
    if (verdict.status !== 'pending') {
      expect([attempt, verdict]).toEqual([8, { status: 'failed' }])
      break
    }
    waits.push(verdict.retryAt! - AT)
  }
  expect(waits).toEqual([5000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000])
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  const total = waits.reduce((sum, wait) => sum + wait, 0)
  expect(total).toBeGreaterThan(DAY_MS)
  expect(total).toBeLessThan(1.5 * DAY_MS)
})

test.each([9, 100])('attempt %i is the last, too', (attempt) => {
  expect(decide({ kind: 'none' }, { ...first, attempt })).toEqual({ status: 'failed' })
})

test('waits differ by a fifth, either way, and by chance', () => {
  expect([0, 0.5, 1].map(fourthWait)).toEqual([0.8 * WAITS_MS[3]!, WAITS_MS[3], 1.2 * WAITS_MS[3]!])
  const some = new Set(
    Array.from({ length: 20 }, () => decide({ kind: 'none' }, { ...first, attempt: 4, random: undefined }).retryAt),
  )
  expect(some.size).toBeGreaterThan(1)
})

test('Retry-After makes a wait longer and never shorter, up to a day, and nobody comes before it', () => {
  const wait = (retryAfter: string, random = 0): number =>
    decide(answer(503, retryAfter), { ...first, random: () => random }).retryAt! - AT
  expect(wait('120')).toBe(120_000)
  expect(wait('120', 1)).toBe(144_000)
  expect(wait('0')).toBe(4000)
  expect(wait('Sat, 21 Nov 2026 09:00:00 GMT')).toBe(3_600_000)
  expect(wait('99999999')).toBe(DAY_MS)
  expect(wait('99999999', 1)).toBe(DAY_MS)
  expect(decide(answer(429, '60'), { ...first, attempt: 8 })).toEqual({ status: 'failed' })
})

test.each<[value: string | null, ms: number]>([
  [null, 0],
  ['', 0],
  ['120', 120_000],
  [' 7 ', 7000],
  ['-5', 0],
  ['1.5', 0],
  ['1e9', 0],
  ['0x10', 0],
  ['9'.repeat(15), DAY_MS],
  ['9'.repeat(400), 0],
  ['Sat, 21 Nov 2026 08:00:30 GMT', 30_000],
  ['Saturday, 21-Nov-26 08:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2020 08:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', DAY_MS],
  ['Soon', 0],
  ['120, 240', 0],
])('Retry-After: %j is %i ms', (value, ms) => {
  expect(retryAfterMs(value, AT)).toBe(ms)
})

test('a webhook that has failed for five days is disabled by its next failure', () => {
  expect(decide(answer(500), { ...first, failingSince: since(5 * DAY_MS - 1) }).status).toBe('pending')
  expect(decide(answer(500), { ...first, failingSince: since(5 * DAY_MS) })).toEqual({
    status: 'failed',
    disable: 'failing',
  })
  expect(decide({ kind: 'none' }, { ...first, failingSince: since(9 * DAY_MS) })).toEqual({
    status: 'failed',
    disable: 'failing',
  })
  expect(decide(answer(200), { ...first, failingSince: since(9 * DAY_MS) })).toEqual({ status: 'delivered' })
  expect(decide(answer(410), { ...first, failingSince: since(9 * DAY_MS) })).toEqual({
    status: 'failed',
    disable: 'gone',
  })
})

function since(ms: number): string {
  return new Date(AT - ms).toISOString()
}

function fourthWait(random: number): number {
  return decide({ kind: 'none' }, { ...first, attempt: 4, random: () => random }).retryAt! - AT
}
