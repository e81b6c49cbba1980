import { readFile } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import { SandboxError } from './driver.ts'
import { END_CAUSES } from './members.ts'
import type { SessionPoolOptions } from './pool.ts'
import { Room } from './room.ts'
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
const HOUR = 60 * MINUTE

test('docs/sessions.md names every cause', async () => {
  const page = await readFile(new URL('../../docs/sessions.md', import.meta.url), 'utf8')
  expect(END_CAUSES.filter((cause) => !page.includes(`\`${cause}\``))).toEqual([])
})

test('a session that served nothing for 15 minutes ends', async () => {
  const { pool, run, deployment, later, ends } = await open()
  await run(deployment('a'))
  later(14 * MINUTE)
  await run(deployment('a'))
  later(15 * MINUTE)
  expect([pool.stats().idle, ends]).toEqual([1, []])
  later(1)
  expect([pool.stats().idle, ends]).toEqual([0, ['idle']])
})

test('a session that is 8 hours old serves no more, however busy it is', async () => {
  const { pool, run, deployment, later, ends } = await open({ idleMs: 9 * HOUR })
  const first = await run(deployment('a'))
  later(8 * HOUR)
  expect((await run(deployment('a'))).where).toBe(first.where)
  const busy = await pool.acquire(deployment('a'))
  later(1)
  expect(busy.session.usable).toBe(true)
  await busy.release()
  expect(ends).toEqual(['age'])
  expect((await run(deployment('a'))).where).not.toBe(first.where)
})

test('a session serves so many runs and no more', async () => {
  const { run, deployment, ends } = await open({ maxRuns: 2 })
  const runs = []
  for (let i = 0; i < 3; i++) runs.push(await run(deployment('a')))
  expect([runs[1]!.where === runs[0]!.where, runs[2]!.where === runs[0]!.where]).toEqual([true, false])
  expect(ends).toEqual(['runs'])
})

test('where memory is missing, what was used longest ago goes first', async () => {
  const { pool, run, deployment, later, ends } = await open({ room: new Room({ memory_mb: 768 }) })
  for (const id of ['a', 'b', 'c']) {
    await run(deployment(id))
    later(1)
  }
  await run(deployment('a'))
  await run(deployment('large', { size: 'M' }))
  expect(ends).toEqual(['memory', 'memory'])
  expect(pool.list(() => true).map(({ deployment: id }) => id)).toEqual(['a', 'large'])
  expect(pool.stats().memory_mb).toBe(768)
})

test('a size that is larger than all there is fails, and says what to do', async () => {
  const { pool, run, deployment } = await open({ room: new Room({ memory_mb: 1000 }) })
  await run(deployment('a'))
  const error = await pool.acquire(deployment('b', { size: 'L' })).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(SandboxError)
  expect(pool.stats().idle).toBe(1)
})

test('a tenant at its cap gives up what it used longest ago, and takes nothing from others', async () => {
  const room = new Room({ memory_mb: 16_384, maxSessions: 10, maxSessionsPerTenant: 2 })
  const { pool, run, deployment, later, ends } = await open({ room })
  const mine = { tenant: 'mine' }
  await run(deployment('theirs'))
  for (const id of ['a', 'b', 'c']) {
    later(1)
    await run(deployment(id, mine))
  }
  expect(ends).toEqual(['tenant_cap'])
  expect(pool.list(() => true).map(({ deployment: id }) => id)).toEqual(['theirs', 'b', 'c'])

  const busy = [await pool.acquire(deployment('b', mine)), await pool.acquire(deployment('c', mine))]
  const waiting = pool.acquire(deployment('d', mine))
  expect((await run(deployment('theirs'))).warm).toBe(true)
  expect(room.state.waiting).toBe(1)
  await busy[0]!.release()
  await (await waiting).release()
  await busy[1]!.release()
})

test('a flush ends what is idle now, what is busy after its run, and what was being made after its first', async () => {
  const { pool, run, deployment, ends, specs } = await open()
  await run(deployment('a'))
  await run(deployment('kept'))
  const busy = await pool.acquire(deployment('b'))
  const coming = pool.acquire(deployment('c'))
  await expect.poll(() => specs.length).toBe(4)
  expect(pool.flush(({ id }) => id !== 'kept')).toEqual({ ended: 1, after_run: 2 })
  for (const lease of [busy, await coming]) {
    await serve(lease)
    await lease.release()
    expect(lease.session.usable).toBe(false)
  }
  expect(ends).toEqual(['flush', 'flush', 'flush'])
  expect(pool.list(() => true).map(({ deployment: id }) => id)).toEqual(['kept'])
})

test('a spare that is made while its deployment is retired is not kept', async () => {
  const { pool, deployment, ends, specs } = await open()
  const warming = pool.warmUp(deployment('a'))
  await expect.poll(() => specs.length).toBe(1)
  pool.retire('a')
  await warming
  expect([pool.stats().spare, ends]).toEqual([0, ['retired']])
})

test('what is told of a session is how it stands', async () => {
  const { pool, run, deployment, later } = await open()
  const all = () => pool.list(({ tenant }) => tenant === 't')
  await run(deployment('idle', { network: ['example.com'] }))
  later(1000)
  await pool.warmUp(deployment('spare'))
  const { session, release } = await pool.acquire(deployment('busy', { size: 'M' }))
  later(500)
  const told = { skill: 's', stage: 'dev', version: '1.0.0', id: expect.stringMatching(/^session-/) }
  expect(all()).toEqual([
    {
      ...told,
      id: session.id,
      deployment: 'busy',
      state: 'busy',
      runs: 0,
      age_ms: 500,
      idle_ms: null,
      memory_mb: 512,
      network: false,
    },
    { ...told, deployment: 'idle', state: 'idle', runs: 1, age_ms: 1500, idle_ms: 1500, memory_mb: 256, network: true },
    {
      ...told,
      deployment: 'spare',
      state: 'spare',
      runs: 0,
      age_ms: 500,
      idle_ms: 500,
      memory_mb: 256,
      network: false,
    },
  ])
  expect(pool.stats()).toEqual({ idle: 1, busy: 1, spare: 1, memory_mb: 1024 })
  expect(pool.list(({ tenant }) => tenant === 'another')).toEqual([])
  await release()
})

test('a run reaches what its connections name, in a session that serves no run without them', async () => {
  const { pool, deployment, starts, specs, ends } = await open()
  const a = deployment('a', { network: ['example.com'] })
  const database = { name: 'db.example.org', wildcard: false, ports: [5432] }
  const acquire = async (network: (typeof database)[]): Promise<void> => {
    const lease = await pool.acquire(a, { network })
    await serve(lease)
    await lease.release()
  }
  await pool.warmUp(a)
  await acquire([database])
  expect([starts, ends]).toEqual([['cold'], ['outdated']])
  expect(specs.map(({ network }) => network.map(({ name, ports }) => `${name} ${ports.join()}`))).toEqual([
    ['example.com 80,443'],
    ['db.example.org 5432', 'example.com 80,443'],
  ])
  await acquire([database])
  await acquire([{ ...database, name: 'example.com', ports: [443] }, database])
  await acquire([])
  expect(starts).toEqual(['cold', 'warm', 'warm', 'cold'])
})

test('what a session may hold besides its limit takes room, too', async () => {
  const { run, deployment } = await open({ room: new Room({ memory_mb: 400 }), besidesLimit: 0.75 })
  await expect(run(deployment('a', { size: 'S' }))).rejects.toThrow('A sandbox that may take 448 MB is larger than')
})
