import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { drive } from './fixtures/drive.ts'
import { createTicker } from './ticker.ts'

let folder: string
let engine: SqlEngine
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  folder = await mkdtemp(join(tmpdir(), 'skillet-ticker-check-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  vi.useRealTimers()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const nothing = (): never => {
  throw new Error('Nothing is due.')
}
const onError = (error: unknown): never => {
  throw error
}

test('who has not looked for a minute is not ready, until it has looked', async () => {
  const { engine: driven, look } = drive(engine.schedules)
  const ticker = createTicker({ engine: driven, plan: nothing, onError })
  ticker.start()
  await look()
  // It is over a moment after its last question was answered.
  await otherWork()
  vi.advanceTimersByTime(59_000)
  expect(() => ticker.check()).not.toThrow()
  vi.advanceTimersByTime(2000)
  expect(() => ticker.check()).toThrow('What was due 61 s ago may not have fired yet.')
  await look()
  await expect.poll(() => ticker.check()).toBe(undefined)
  await ticker.stop()
})

test('a look that never ends is told of', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<[]>()
  const schedules = { ...engine.schedules, due: () => answer }
  const ticker = createTicker({ engine: { schedules }, plan: nothing, onError })
  ticker.start()
  vi.advanceTimersByTime(61_000)
  expect(() => ticker.check()).toThrow('Firing schedules has been stuck for 61 s.')
  resolve([])
  await expect.poll(() => ticker.check()).toBe(undefined)
  await ticker.stop()
})
