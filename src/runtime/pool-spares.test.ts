import { afterEach, expect, test } from 'vitest'
import type { SessionPoolOptions } from './pool.ts'
import { Room } from './room.ts'
import type { Lease } from './session-pool.ts'
import { type TestPool, openTestPool, serve } from './test-pool.ts'

const pools: TestPool[] = []
afterEach(async () => {
  for (const pool of pools.splice(0)) {
    await pool.close()
    expect(pool.faults).toEqual([])
  }
})

async function open(options: Partial<SessionPoolOptions> = {}): Promise<TestPool> {
  const opened = await openTestPool(options)
  pools.push(opened)
  return opened
}

const MINUTE = 60_000
const FRESH = { isolation: 'fresh' } as const

/** So many runs at once, all of them over when it resolves. */
async function burst({ pool, deployment }: TestPool, count: number): Promise<void> {
  const leases: Lease[] = []
  for (let i = 0; i < count; i++) leases.push(await pool.acquire(deployment('a', FRESH)))
  for (const lease of leases) await serve(lease)
  await Promise.all(leases.map((lease) => lease.release()))
}

test('with isolation "fresh" every run has a sandbox that nobody used, ready when it comes', async () => {
  const { pool, run, deployment, starts, ends } = await open()
  await pool.warmUp(deployment('a', FRESH))
  const runs = []
  for (let i = 0; i < 4; i++) runs.push(await run(deployment('a', FRESH)))
  expect(new Set(runs.map(({ where }) => where)).size).toBe(4)
  expect(runs.every(({ warm }) => !warm)).toBe(true)
  expect(starts).toEqual(['spare', 'spare', 'spare', 'spare'])
  expect(ends.every((cause) => cause === 'used')).toBe(true)
})

test('as many stand ready as there were runs at once, fewer when use falls, none after 15 minutes', async () => {
  const it = await open()
  const { pool, later, ends } = it
  await burst(it, 3)
  await expect.poll(() => pool.stats().spare).toBe(3)
  later(MINUTE)
  expect(pool.stats().spare).toBe(3)
  await burst(it, 1)
  await expect.poll(() => pool.stats().spare).toBe(3)
  later(MINUTE)
  expect(pool.stats().spare).toBe(1)
  expect(ends.filter((cause) => cause === 'surplus')).toHaveLength(2)
  later(14 * MINUTE)
  expect(pool.stats().spare).toBe(1)
  later(MINUTE)
  expect(pool.stats().spare).toBe(0)
})

test('a run that takes long is no reason to have no spare meanwhile', async () => {
  const { pool, deployment, later } = await open()
  const long = await pool.acquire(deployment('a', FRESH))
  expect(pool.stats().spare).toBe(0)
  later(10_000)
  await expect.poll(() => pool.stats().spare).toBe(1)
  await long.release()
})

test('spares are like the sandbox of the last run', async () => {
  const { pool, deployment, starts, specs } = await open()
  const database = { name: 'db.example.org', wildcard: false, ports: [5432] }
  for (let i = 0; i < 2; i++) {
    const lease = await pool.acquire(deployment('a', FRESH), { network: [database], variant: `sec_1:${i}` })
    await serve(lease)
    await lease.release()
  }
  expect(starts).toEqual(['cold', 'spare'])
  expect(specs.every(({ network }) => network.length === 1)).toBe(true)
})

test('spares beside others are the first to make room, and take none from what was used of late', async () => {
  const it = await open({ room: new Room({ memory_mb: 4 * 256 }) })
  const { pool, run, deployment, later, ends } = it
  await run(deployment('old'))
  later(1)
  await burst(it, 2)
  await expect.poll(() => pool.stats()).toMatchObject({ spare: 2, idle: 1 })
  await run(deployment('b'))
  later(1)
  await run(deployment('c'))
  expect(ends.filter((cause) => cause !== 'used')).toEqual(['memory'])
  expect(pool.stats()).toMatchObject({ spare: 1, idle: 3 })
})

test('a spare that found no room while used sandboxes were on their way out is made when they have gone', async () => {
  const going = Promise.withResolvers<void>()
  const it: TestPool = await open({
    room: new Room({ memory_mb: 3 * 256 }),
    driver: {
      async prepare(spec, signal) {
        const number = it.specs.push(spec)
        const session = await it.sandboxes.driver.prepare(spec, signal)
        // The first spare comes when the two used ones are going; they take until it is there, and with it the attempt to make a second.
        if (number === 3) await going.promise
        if (number > 2) return session
        const kill = session.kill.bind(session)
        return Object.assign(session, {
          kill: async () => {
            going.resolve()
            await expect.poll(() => it.pool.stats().spare).toBe(1)
            await kill()
          },
        })
      },
    },
  })
  await burst(it, 2)
  await expect.poll(() => it.pool.stats().spare).toBe(2)
})

test('a deployment without a spare gets one in the place of what was used longest ago', async () => {
  const { pool, run, deployment, later } = await open({ room: new Room({ memory_mb: 2 * 256 }) })
  await run(deployment('old'))
  later(1)
  await run(deployment('new'))
  await pool.warmUp(deployment('a', FRESH))
  expect(pool.list(() => true).map(({ deployment: id, state }) => `${id} ${state}`)).toEqual(['new idle', 'a spare'])
})

test('no spare is made of what somebody waits for', async () => {
  const room = new Room({ memory_mb: 2 * 256 })
  const { pool, deployment, specs } = await open({ room })
  const busy = [await pool.acquire(deployment('a', FRESH)), await pool.acquire(deployment('b'))]
  const waiting = pool.acquire(deployment('large', { size: 'M' }))
  await busy[0]!.release()
  expect([room.state.waiting, specs.length]).toEqual([1, 2])
  await busy[1]!.release()
  await (await waiting).release()
})
