import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

test('few are woken at once, of many so many in each turn, in the order in which they were told', async () => {
  const turns = createTurns({ atOnce: 3 })
  const woken: number[] = []
  const bells = Array.from({ length: 8 }, (_, who) => ({ ring: () => void woken.push(who) }))
  for (const bell of bells) turns.wake(bell)
  expect(woken).toEqual([0, 1, 2])
  await turn()
  expect(woken).toEqual([0, 1, 2, 3, 4, 5])
  // One that waits for its turn already is woken once; one that was woken waits behind the others.
  turns.wake(bells[7]!)
  turns.wake(bells[0]!)
  await turn()
  expect(woken.slice(6)).toEqual([6, 7, 0])
  await turn()
  await turn()
  turns.wake(bells[5]!)
  expect(woken.slice(9)).toEqual([5])
})

test('others get their turn in between', async () => {
  const turns = createTurns({ atOnce: 10 })
  let woken = 0
  for (let i = 0; i < 1000; i++) turns.wake({ ring: () => woken++ })
  let between = 0
  while (woken < 1000) {
    await turn()
    between++
  }
  expect(between).toBeGreaterThanOrEqual(99)
})
