import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
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

/** With one place. */
const laneOfOne = (begin: ConstructorParameters<typeof Lane>[1]['begin']): Lane =>
  new Lane(engine.runs, {
    queue: 'default',
    places: 1,
    leaseMs: 60_000,
    begin,
    onError: (error) => {
      throw error
    },
  })

test('what is held is not begun before the last hold is over, and a hold that is forgotten ends by itself', async () => {
  const place = await settle(engine)
  const begun: string[] = []
  let next = Promise.withResolvers<void>()
  const lane = laneOfOne(({ run }, performed) => {
    begun.push(run.id)
    next.resolve()
    performed()
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

test('a place that a taking is under way for is offered to nobody else', async () => {
  const place = await settle(engine)
  const begun: { id: string; performed: () => void }[] = []
  const lane = laneOfOne(({ run }, performed) => void begun.push({ id: run.id, performed }))
  const [waiting, next] = [newRun(place), newRun(place)]
  await engine.runs.admit(waiting, 'default', newNote(place.tenant, 'run.invoke'))
  lane.wake()
  expect(lane.offer()).toBeNull()
  await engine.runs.admit(next, 'default', newNote(place.tenant, 'run.invoke'))
  lane.wake()
  await engine.runs.take('long', 1, 60_000)
  expect(begun.map(({ id }) => id)).toEqual([waiting.id])
  begun[0]!.performed()
  await vi.waitFor(() => expect(begun.map(({ id }) => id)).toEqual([waiting.id, next.id]))
  begun[1]!.performed()
  // It finds nothing: then the place is free.
  await vi.waitFor(() => expect(lane.offer()).not.toBeNull())
  await lane.stop()
})
