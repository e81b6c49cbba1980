import { expect, test } from 'vitest'
import { type RateLimited, createRateLimiter } from './rate-limit.ts'

function limiter(perSecond: number, burst: number, most?: number) {
  const time = { ms: 5000 }
  const limit = createRateLimiter({ perSecond, burst }, { clock: () => time.ms, ...(most !== undefined && { most }) })
  return { time, limit, taken: (key: string, tries: number) => Array.from({ length: tries }, () => limit.take(key)) }
}

const count = (taken: boolean[]): number => taken.filter(Boolean).length

test('a burst goes through, then as many as the rate says, and no more are saved up than a burst', () => {
  const { time, taken } = limiter(10, 20)
  expect(count(taken('a', 100))).toBe(20)
  for (let second = 0; second < 5; second++) {
    time.ms += 1000
    expect(count(taken('a', 100))).toBe(10)
  }
  time.ms += 3_600_000
  expect(count(taken('a', 100))).toBe(20)
})

test('asking in vain costs nothing, and slow steady callers are never refused', () => {
  const { time, limit, taken } = limiter(10, 1)
  for (let i = 0; i < 1000; i++) {
    expect(limit.take('a')).toBe(true)
    expect(count(taken('a', 50))).toBe(0)
    time.ms += 101
  }
})

test('everybody has a bucket of their own, and only so many are remembered', () => {
  const { limit, taken } = limiter(1, 2, 3)
  for (const key of ['a', 'b', 'c']) expect(count(taken(key, 5))).toBe(2)
  expect(limit.has('a')).toBe(false)
  // The one that was silent for longest makes room: it is let in again, the others are not.
  limit.take('d')
  expect([limit.has('a'), limit.has('b'), limit.has('c'), limit.has('d')]).toEqual([true, false, false, true])
})

test('who is refused is told when something is left again', () => {
  const { time, limit, taken } = limiter(0.25, 1)
  taken('a', 2)
  time.ms += 1000
  const refusal: RateLimited = limit.refusal('a', 'Slower.')
  expect(refusal).toMatchObject({ code: 'rate_limited', headers: { 'retry-after': '3' } })
  time.ms += 2990
  expect(limit.take('a')).toBe(false)
  time.ms += 10
  expect(limit.take('a')).toBe(true)
})
