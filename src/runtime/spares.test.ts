import { expect, test } from 'vitest'
import type { Deployment } from '../model/skills.ts'
import { createSpares } from './spares.ts'

test('runs that began before their deployment was forgotten leave nothing that stands ready for ever', () => {
  let at = 0
  const spares = createSpares({
    ready: () => 0,
    mayMake: () => false,
    make: () => Promise.resolve(false),
    now: () => at,
  })
  const demand = { deployment: { id: 'dep_1' } as Deployment, network: [] }
  spares.began(demand)
  spares.forget('dep_1')
  spares.began(demand)
  spares.ended('dep_1')
  spares.ended('dep_1')
  for (let i = 0; i < 4; i++) {
    at += 60_000
    spares.sweep()
  }
  expect(spares.target('dep_1')).toBe(0)
})
