import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Deployment } from '../model/skills.ts'
import { createSpares } from './spares.ts'

const DEMAND = { deployment: { id: 'dep_1' } as Deployment, network: [] }

test('runs that began before their deployment was forgotten leave nothing that stands ready for ever', () => {
  let at = 0
  const spares = createSpares({
    ready: () => 0,
    mayMake: () => false,
    make: () => Promise.resolve(false),
    now: () => at,
  })
  spares.began(DEMAND)
  spares.forget('dep_1')
  spares.began(DEMAND)
  spares.ended('dep_1')
  spares.ended('dep_1')
  for (let i = 0; i < 4; i++) {
    at += 60_000
    spares.sweep()
  }
  expect(spares.target('dep_1')).toBe(0)
})

/** One place for a spare, which somebody else may hold; each `settle` ends the oldest attempt to make one. */
function world() {
  const attempts: PromiseWithResolvers<boolean>[] = []
  let made = 0
  const spares = createSpares({
    ready: () => made + attempts.length,
    mayMake: () => true,
    make: async () => {
      const attempt = Promise.withResolvers<boolean>()
      attempts.push(attempt)
      return attempt.promise
    },
    now: () => 0,
  })
  const settle = async (there: boolean): Promise<void> => {
    const attempt = attempts.shift()!
    if (there) made++
    attempt.resolve(there)
    await setImmediate()
  }
  return { spares, attempts, settle }
}

test('a spare for which a sandbox on its way out left no room is made when that has gone', async () => {
  const { spares, attempts, settle } = world()
  spares.began(DEMAND)
  spares.fill()
  spares.ended('dep_1')
  await settle(false)
  expect(attempts).toHaveLength(0)
  spares.gone('dep_1')
  expect(attempts).toHaveLength(1)
})

test('a sandbox that goes while an attempt is failing is reason enough for another, and for one only', async () => {
  const { spares, attempts, settle } = world()
  spares.began(DEMAND)
  spares.fill()
  spares.ended('dep_1')
  spares.gone('dep_1')
  expect(attempts).toHaveLength(1)
  await settle(false)
  expect(attempts).toHaveLength(1)
  await settle(false)
  expect(attempts).toHaveLength(0)
  spares.fill()
  expect(attempts).toHaveLength(0)
})
