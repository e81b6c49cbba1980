import { expect, test } from 'vitest'
import { createPulse } from './pulse.ts'

test('one question is asked for all who want to know, and the next one when that was answered', async () => {
  let pings = 0
  const pulse = createPulse(() => pings++, 30_000)
  const asked = [pulse.ask(), pulse.ask()]
  expect(pings).toBe(1)
  pulse.beat()
  expect(await Promise.all(asked)).toEqual([true, true])
  const again = pulse.ask()
  expect(pings).toBe(2)
  pulse.beat()
  expect(await again).toBe(true)
})

test('what was said before it was asked is no answer', async () => {
  const pulse = createPulse(() => undefined, 1)
  pulse.beat()
  expect(await pulse.ask()).toBe(false)
})
