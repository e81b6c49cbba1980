import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRounds } from './rounds.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('few look again in every round, of many each in its turn', () => {
  const rounds = createRounds({ everyMs: 1000, atOnce: 3 })
  const looks: number[] = []
  const leaves = [0, 1].map((who) => rounds.join(() => looks.push(who)))
  vi.advanceTimersByTime(2000)
  expect(looks.splice(0)).toEqual([0, 1, 0, 1])
  leaves.push(...[2, 3, 4].map((who) => rounds.join(() => looks.push(who))))
  vi.advanceTimersByTime(4000)
  // Fair, and never more than three at once.
  expect(looks.splice(0)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1])
  leaves[2]!()
  vi.advanceTimersByTime(2000)
  expect(looks).toEqual([3, 4, 0, 1, 3, 4])
})

test('there is one timer, however many wait, and none while nobody does', () => {
  const rounds = createRounds({ everyMs: 1000, atOnce: 3 })
  expect(vi.getTimerCount()).toBe(0)
  const leaves = Array.from({ length: 5000 }, () => rounds.join(() => {}))
  expect(vi.getTimerCount()).toBe(1)
  for (const leave of leaves) leave()
  expect(vi.getTimerCount()).toBe(0)
  // Who looks may leave, and join.
  let left = 0
  const leave = rounds.join(() => {
    leave()
    left++
  })
  vi.advanceTimersByTime(5000)
  expect([left, vi.getTimerCount()]).toEqual([1, 0])
})
