import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'
import { type Chance, createChance } from './fixtures/chance.ts'
import { type FlowWorld, createFlowWorld } from './fixtures/flow-world.ts'
import { brokenIn, unfinishedIn } from './fixtures/flow-invariants.ts'

/** Each is a life of its own; `SKILLET_SEED` tries one more. */
const SEEDS = [1, 2, 3, ...(process.env['SKILLET_SEED'] === undefined ? [] : [Number(process.env['SKILLET_SEED'])])]
const STEPS = 400
const NOON = Date.parse('2026-11-21T12:00:00.000Z')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-invariants-'))
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

describe.each(SEEDS)('whatever is done in whatever order (seed %i)', (seed) => {
  test('the rows agree with each other, and nothing waits for ever', async () => {
    const chance = createChance(seed)
    const file = join(folder, DATABASE_FILE)
    let engine = await openSqliteEngine({ folder })
    let world = await createFlowWorld(engine, chance)
    const done: string[] = []
    for (let step = 0; step < STEPS; step++) {
      passTime(chance)
      // Some at once, as many callers and workers are.
      done.push(...(await Promise.all(Array.from({ length: 1 + chance.below(3) }, () => world.anything()))))
      if (chance.below(30) === 0) {
        done.push('replace stage')
        await world.replaceStage()
      }
      if (chance.below(60) === 0) {
        done.push('restart')
        await engine.close()
        engine = await openSqliteEngine({ folder })
        world = world.reopened(engine)
        await engine.runs.recover()
        await engine.webhooks.recoverDeliveries()
      }
      expect(brokenIn(file), `after ${done.slice(-8).join(', ')}`).toEqual({})
    }
    await settle(world)
    expect([unfinishedIn(file), brokenIn(file)]).toEqual([{}, {}])
    await engine.close()
  })
})

/** Mostly some milliseconds; now and then the clock is set, an hour at the most from what it should be. */
function passTime(chance: Chance): void {
  const wrong = chance.below(20) === 0 ? (chance.below(3) - 1) * 3_600_000 : null
  vi.setSystemTime(wrong === null ? Date.now() + chance.below(200) : NOON + wrong)
}

/** All are let go, and workers do what there is: then there has to be an end. */
async function settle(world: FlowWorld): Promise<void> {
  await world.letGo()
  for (let hour = 0; hour < 60; hour++) {
    vi.setSystemTime(Date.now() + 3_600_000)
    await world.workAll()
  }
}
