import { rm } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import type { SessionPoolOptions } from './pool.ts'
import { Room } from './room.ts'
import { CODE, type TestPool, openTestPool } from './test-pool.ts'
import { invoke } from './test-sessions.ts'

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

test('runs of one deployment share a warm session, another deployment gets its own', async () => {
  const { run, deployment } = await open()
  const first = await run(deployment('a'))
  const second = await run(deployment('a'))
  const other = await run(deployment('b'))
  expect(second).toEqual({ where: first.where, warm: true })
  expect(first.warm).toBe(false)
  expect(other.where).not.toBe(first.where)
})

test('two runs at once are in two sessions', async () => {
  const { pool, deployment } = await open()
  const [one, two] = await Promise.all([pool.acquire(deployment('a')), pool.acquire(deployment('a'))])
  expect(one.session).not.toBe(two.session)
  await Promise.all([one.release(), two.release()])
})

test('a session that died is not handed out again', async () => {
  const { pool, deployment } = await open()
  const { session, release } = await pool.acquire(deployment('a'))
  await invoke(session, 'die')
  await release()
  const next = await pool.acquire(deployment('a'))
  expect(next.session).not.toBe(session)
  await next.release()
})

test('a retired deployment keeps no session, and a run in it may finish', async () => {
  const { pool, deployment } = await open()
  const { session, release } = await pool.acquire(deployment('a'))
  pool.retire('a')
  expect((await invoke(session, null)).result.status).toBe('succeeded')
  await release()
  expect(session.usable).toBe(false)
})

test('where there is no room, an idle session makes room and a busy one is waited for', async () => {
  const { pool, run, deployment } = await open({ room: new Room({ memory_mb: 16_384, maxSessions: 1 }) })
  await run(deployment('a'))
  const busy = await pool.acquire(deployment('b'))
  let got = false
  const waiting = pool.acquire(deployment('c')).then((lease) => {
    got = true
    return lease
  })
  await expect(pool.acquire(deployment('d'), { signal: AbortSignal.timeout(100) })).rejects.toThrow()
  expect(got).toBe(false)
  await busy.release()
  await (await waiting).release()
  expect(busy.session.usable).toBe(false)
})

test('a session that saw secrets serves no run with others, and one that served none serves any', async () => {
  const { pool, deployment } = await open()
  const serve = async (variant: string): Promise<{ id: string; warm: boolean; end: () => Promise<unknown> }> => {
    const { session, warm, release } = await pool.acquire(deployment('a'), { variant })
    await invoke(session, null)
    await release()
    return { id: session.id, warm, end: () => expect.poll(() => session.usable).toBe(false) }
  }
  await pool.warmUp(deployment('a'))
  const spare = await serve('sec_1:1')
  const again = await serve('sec_1:1')
  expect([spare.warm, again.id, again.warm]).toEqual([false, spare.id, true])
  const next = await serve('sec_1:2')
  expect([next.id === spare.id, next.warm]).toEqual([false, false])
  await spare.end()
  const without = await serve('')
  expect(without.id).not.toBe(next.id)
  await next.end()
  expect(pool.stats()).toMatchObject({ idle: 1, busy: 0 })
})

test('a session that comes back with old secrets is ended by the next run', async () => {
  const { pool, deployment } = await open()
  const old = await pool.acquire(deployment('a'), { variant: 'sec_1:1' })
  const fresh = await pool.acquire(deployment('a'), { variant: 'sec_1:2' })
  for (const { session, release } of [old, fresh]) {
    await invoke(session, null)
    await release()
  }
  const next = await pool.acquire(deployment('a'), { variant: 'sec_1:2' })
  expect([next.session.id, next.warm]).toEqual([fresh.session.id, true])
  await expect.poll(() => old.session.usable).toBe(false)
  await next.release()
})

test('the bundle of a session is in use until its sandbox has ended, and that of none that cannot be made', async () => {
  let uses = 0
  const { pool, sandboxes, deployment } = await open({
    bundles: {
      async ensure(blob) {
        const folder: string = await sandboxes.bundle({ 'main.py': CODE })
        if (blob === 'gone') await rm(folder, { recursive: true })
        uses++
        return { folder, release: () => void uses-- }
      },
    },
  })
  const lease = await pool.acquire(deployment('dep_1'))
  await lease.release()
  expect([pool.stats().spare, uses]).toEqual([1, 1])
  const busy = await pool.acquire(deployment('dep_1'))
  pool.retire('dep_1')
  expect(uses).toBe(1)
  await busy.release()
  expect(uses).toBe(0)
  await expect(pool.acquire(deployment('dep_2', { bundle: 'gone' }))).rejects.toThrow()
  expect(uses).toBe(0)
})
