import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  LONG,
  type Place,
  SUCCEEDED,
  activate,
  admit,
  newDeployment,
  newNote,
  settle,
} from '../backends/contract/engine-fixtures.ts'
import type { ActivityStore } from '../backends/flow-ports.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Activity } from '../model/activity.ts'
import { Bell } from './bell.ts'
import { type ActivityFeed, type ActivityFilter, createActivityFeed } from './activity-feed.ts'

let folder: string
let engine: Engine
let place: Place
/** How often rows were read, and for whom. */
let reads: string[]
/** What a read throws from now on. */
let broken: Error | null
let errors: unknown[]
let watched: number
let feed: ActivityFeed
let look: () => void
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-feed-'))
  engine = await openSqliteEngine({ folder })
  place = await settle(engine)
  ;[reads, errors, broken, watched, look] = [[], [], null, 0, () => {}]
  const real = engine.activity
  const counted: ActivityStore = {
    present: (...args) => real.present(...args),
    async activity(tenant, after, limit) {
      reads.push(tenant)
      if (broken !== null) throw broken
      return real.activity(tenant, after, limit)
    },
    watchActivity(tenant, wake) {
      watched++
      const end = real.watchActivity(tenant, wake)
      return () => {
        watched--
        end()
      }
    },
  }
  const rounds = {
    join(wake: () => void) {
      look = wake
      return () => {}
    },
  }
  feed = createActivityFeed(counted, { onError: (error) => errors.push(error), rounds })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

interface Follower {
  readonly seen: Activity[]
  /** When it has seen so many. */
  until(count: number): Promise<void>
  leave(): Promise<void>
}

async function follow(
  filter: ActivityFilter = {},
  options: { tenant?: string; after?: string } = {},
): Promise<Follower> {
  const { tenant = place.tenant } = options
  const abort = new AbortController()
  const seen: Activity[] = []
  const bell = new Bell()
  const from = await feed.present(tenant, options.after)
  const over = (async () => {
    for await (const one of feed.follow(tenant, filter, from, abort.signal)) {
      seen.push(one)
      bell.ring()
    }
  })()
  return {
    seen,
    async until(count) {
      for (bell.arm(); seen.length < count; bell.arm()) await Promise.race([bell.wait(), over])
    },
    async leave() {
      abort.abort()
      await over
    },
  }
}

async function succeed(where: Place = place): Promise<string> {
  const id = await admit(engine.runs, where)
  const [claim] = await engine.runs.take('default', 1, LONG)
  await engine.runs.finish(id, claim!.token, SUCCEEDED)
  return id
}

const everything = async (tenant = place.tenant): Promise<Activity[]> =>
  engine.activity.activity(tenant, await engine.activity.present(tenant, '0000000000'), 5000)

test('what happens is seen in order, once, by all who follow, and is read once for all of them', async () => {
  const followers = await Promise.all(Array.from({ length: 300 }, () => follow()))
  const first = await succeed()
  await Promise.all(followers.map(({ until }) => until(3)))
  expect(followers[0]!.seen.map(({ run, type }) => [run, type])).toEqual([
    [first, 'run.status'],
    [first, 'run.status'],
    [first, 'run.result'],
  ])
  // One for each commit, and one after each that finds no more: none for each follower.
  expect(reads.length).toBeLessThan(20)
  for (const { seen } of followers) expect(seen).toEqual(followers[0]!.seen)
  // The very same, so that it is put into words once.
  expect(followers[299]!.seen[2]).toBe(followers[0]!.seen[2])
  await Promise.all(followers.map(({ leave }) => leave()))
  expect(watched).toBe(0)
})

test('who comes back sees what was missed, then what comes, without a gap or a repeat, while others write', async () => {
  await Promise.all(Array.from({ length: 100 }, () => admit(engine.runs, place)))
  const all = await everything()
  const back = await Promise.all([0, 17, 98, 99].map((at) => follow({}, { after: all[at]!.id })))
  await Promise.all(Array.from({ length: 300 }, () => admit(engine.runs, place)))
  await Promise.all(back.map(({ until }, i) => until(400 - [1, 18, 99, 100][i]!)))
  const now = await everything()
  expect(back.map(({ seen }) => seen)).toEqual([1, 18, 99, 100].map((from) => now.slice(from)))
  await Promise.all(back.map(({ leave }) => leave()))
})

test('one that falls behind reads for itself, and holds no more than a page', async () => {
  const slow = feed.follow(place.tenant, {}, await feed.present(place.tenant))[Symbol.asyncIterator]()
  const other = await follow()
  const first = slow.next()
  for (let i = 0; i < 7; i++) await Promise.all(Array.from({ length: 150 }, () => admit(engine.runs, place)))
  await other.until(1050)
  const seen = [(await first).value as Activity]
  const before = reads.length
  while (seen.length < 1050) seen.push((await slow.next()).value as Activity)
  expect(seen).toEqual(await everything())
  expect(reads.length - before).toBeGreaterThanOrEqual(5)
  // It has caught up, and is handed what is new.
  const caughtUp = reads.length
  const [next] = await Promise.all([slow.next(), admit(engine.runs, place)])
  await other.until(1051)
  expect(next.value).toEqual(other.seen.at(-1))
  expect(reads.length - caughtUp).toBeLessThanOrEqual(4)
  await slow.return!()
  await other.leave()
  expect(watched).toBe(0)
})

test('a long history of which somebody wants nothing is read in steps, and no further than the reader stays', async () => {
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 200 }, () => admit(engine.runs, place)))
  const abort = new AbortController()
  const from = await feed.present(place.tenant, '0000000000')
  const read = (async () => {
    for await (const one of feed.follow(place.tenant, { types: ['webhook.disabled'] }, from, abort.signal)) return one
    return null
  })()
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  abort.abort()
  expect(await read).toBeNull()
  expect(reads.length).toBeLessThan(10)
})

test('filters by stage, by type and by what grants cover, live and afterwards alike', async () => {
  const { tenant, skill } = place
  const note = newNote(tenant, 'stage.put')
  const bare = await engine.skills.putStage(tenant, skill.id, 'test', null, undefined, note)
  const deployment = newDeployment(bare, '2.0.0')
  const second: Place = { ...place, stage: await activate(engine, bare, deployment), deployment }
  const third = await settle(engine, tenant, 'other')
  const filters: [ActivityFilter, Place[], number][] = [
    [{}, [place, second, third], 3],
    [{ stage: place.stage.id }, [place], 3],
    [{ types: ['run.result'] }, [place, second, third], 1],
    [{ only: [] }, [], 3],
    [{ only: [{ skills: [skill.id], stages: null }] }, [place, second], 3],
    [{ only: [{ skills: null, stages: ['prod'] }] }, [place, third], 3],
    [
      {
        only: [
          { skills: [skill.id], stages: ['test'] },
          { skills: [third.skill.id], stages: null },
        ],
      },
      [second, third],
      3,
    ],
    [{ stage: third.stage.id, only: [{ skills: [skill.id], stages: null }] }, [], 3],
  ]
  const start = await feed.present(tenant)
  const live = await Promise.all(filters.map(([filter]) => follow(filter)))
  for (const where of [place, second, third]) await succeed(where)
  const later = await Promise.all(filters.map(([filter]) => follow(filter, { after: start })))
  for (const followers of [live, later]) {
    await followers[0]!.until(9)
    await Promise.all(followers.map(({ until }, i) => until(filters[i]![1].length * filters[i]![2])))
    // Something more, after which all would have come that does not belong there.
    expect(followers.map(({ seen }) => [...new Set(seen.map(({ stage }) => stage))])).toEqual(
      filters.map(([, places]) => places.map(({ stage }) => stage.id)),
    )
  }
  expect(later.map(({ seen }) => seen)).toEqual(live.map(({ seen }) => seen))
  await Promise.all([...live, ...later].map(({ leave }) => leave()))
})

test('tenants are kept apart', async () => {
  const other = await settle(engine)
  const [mine, theirs] = [await follow(), await follow({}, { tenant: other.tenant })]
  await succeed(other)
  await theirs.until(3)
  await succeed()
  await mine.until(3)
  expect(new Set(mine.seen.map(({ skill }) => skill))).toEqual(new Set([place.skill.id]))
  expect(new Set(theirs.seen.map(({ skill }) => skill))).toEqual(new Set([other.skill.id]))
  await Promise.all([mine.leave(), theirs.leave()])
})

test('a state that cannot be read is told of once, and read again later', async () => {
  const followers = await Promise.all([follow(), follow(), follow()])
  broken = new Error('The disk is on fire.')
  await admit(engine.runs, place)
  expect(errors.length).toBeLessThanOrEqual(1)
  while (errors.length === 0) await new Promise(setImmediate)
  broken = null
  // No hint comes any more: the rounds look again.
  look()
  await Promise.all(followers.map(({ until }) => until(1)))
  expect([errors.length, ...followers.map(({ seen }) => seen.length)]).toEqual([1, 1, 1, 1])
  await Promise.all(followers.map(({ leave }) => leave()))
})
