import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sharedTurn } from './shared-turn.ts'

test('of those that are at work at once, one has a step in each turn of the event loop, each in turn', async () => {
  let turn = 0
  const steps: { who: string; turn: number }[] = []
  const work = async (who: string): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      await sharedTurn()
      steps.push({ who, turn })
    }
  }
  let done = false
  const all = Promise.all(['a', 'b', 'c'].map(work)).then(() => (done = true))
  while (!done) {
    await setImmediate()
    turn++
  }
  await all
  expect(steps.map(({ who }) => who).join('')).toBe('abcabcabcabc')
  expect(new Set(steps.map((step) => step.turn)).size).toBe(steps.length)
})
