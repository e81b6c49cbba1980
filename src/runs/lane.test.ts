import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newNote, newRun, settle } from '../backends/contract/engine-fixtures.ts'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { Lane } from './lane.ts'

let folder: string
let engine: SqlEngine
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-lane-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

test('what is held is not begun before the last hold is over, and a hold that is forgotten ends by itself', async () => {
  const place = await settle(engine)
  const begun: string[] = []
  let next = Promise.withResolvers<void>()
  const lane = new Lane(engine.runs, {
    queue: 'default',
    places: 1,
    leaseMs: 60_000,
    onError: (error) => {
      throw error
    },
    begin({ run }, performed) {
      begun.push(run.id)
      next.resolve()
      performed()
    },
  })
  const admit = async (): Promise<string> => {
    const run = newRun(place)
    await engine.runs.admit(run, 'default', newNote(place.tenant, 'run.invoke'))
    lane.wake()
    // Transactions are made in their order: this one is over after whatever the lane would have taken.
    await engine.runs.take('long', 1, 60_000)
    return run.id
  }
  const releases = [lane.hold(), lane.hold()]
  const first = await admit()
  releases[0]!()
  releases[0]!()
  expect((await engine.runs.find(place.tenant, first))!.status).toBe('queued')
  releases[1]!()
  await next.promise
  next = Promise.withResolvers()
  lane.hold()
  const second = await admit()
  expect((await engine.runs.find(place.tenant, second))!.status).toBe('queued')
  await next.promise
  expect(begun).toEqual([first, second])
  await lane.stop()
})
