import { afterEach, expect, test } from 'vitest'
import { SkilletError } from '../model/errors.ts'
import type { Trial } from './fixtures/trial-worker.ts'
import { ThreadCrash, ThreadTimeout } from './thread-errors.ts'
import { type ThreadPool, type ThreadPoolOptions, createThreadPool } from './thread-pool.ts'
import { workerUrl } from './worker-url.ts'

const pools: ThreadPool[] = []
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close()
})

function open(options: Partial<ThreadPoolOptions> = {}) {
  const pool = createThreadPool({ url: workerUrl(import.meta.url, './fixtures/trial-worker'), size: 1, ...options })
  pools.push(pool)
  return { ...pool, trial: (trial: Trial, more = {}) => pool.call<number>(trial, more) }
}

test('a thread is kept for the next call, and calls beyond the size wait in line', async () => {
  const { trial } = open()
  const ids = await Promise.all([trial({ do: 'id' }), trial({ do: 'id' }), trial({ do: 'id' })])
  expect(new Set(ids).size).toBe(1)
})

test('as many calls run at once as there are threads', async () => {
  const { trial } = open({ size: 2 })
  const gate = new SharedArrayBuffer(4)
  const held = trial({ do: 'wait', gate })
  const free = await trial({ do: 'id' })
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  expect(await held).not.toBe(free)
})

test("a party that brings hundreds of calls is not in another's way", async () => {
  const { trial } = open({ size: 2 })
  const first = Promise.allSettled(
    Array.from({ length: 200 }, () => trial({ do: 'spin' }, { party: 'a', timeoutMs: 500 })),
  )
  // Each of them would take half a second: the other has its answer while the first of them still runs.
  const early = await Promise.race([trial({ do: 'id' }, { party: 'b' }), first.then(() => 'too late')])
  expect(early).toEqual(expect.any(Number))
  for (const pool of pools.splice(0)) await pool.close()
  for (const end of await first) expect(end.status).toBe('rejected')
})

test('parties take turns, also where there is one thread', async () => {
  const { trial } = open()
  const gate = new SharedArrayBuffer(4)
  const order: string[] = []
  const held = trial({ do: 'wait', gate })
  const calls = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(async (name) => {
    await trial({ do: 'id' }, { party: name[0] })
    order.push(name)
  })
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  await Promise.all([held, ...calls])
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

test('a call past its deadline kills the thread, and a fresh one serves the next', async () => {
  const { trial } = open()
  const before = await trial({ do: 'id' })
  await expect(trial({ do: 'spin' }, { timeoutMs: 50 })).rejects.toBeInstanceOf(ThreadTimeout)
  expect(await trial({ do: 'id' })).not.toBe(before)
})

test('the deadline counts from the begin of the call, not from when it was put in line', async () => {
  const { trial } = open()
  const first = trial({ do: 'spin' }, { timeoutMs: 2000 })
  const second = trial({ do: 'id' }, { timeoutMs: 1990 })
  await expect(first).rejects.toBeInstanceOf(ThreadTimeout)
  expect(await second).toBeGreaterThan(0)
})

test('aborting ends a call that runs, one in line and one not yet made', async () => {
  const { trial } = open()
  const abort = new AbortController()
  const running = trial({ do: 'spin' }, { signal: abort.signal })
  const waiting = trial({ do: 'id' }, { signal: abort.signal })
  const other = trial({ do: 'id' })
  const reason = new Error('enough')
  abort.abort(reason)
  await expect(running).rejects.toBe(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(trial({ do: 'id' }, { signal: abort.signal })).rejects.toBe(reason)
  expect(await other).toBeGreaterThan(0)
})

test('a thread that exits or runs out of memory rejects its call, and the pool goes on', async () => {
  const { trial } = open({ resourceLimits: { maxOldGenerationSizeMb: 16 } })
  await expect(trial({ do: 'exit' })).rejects.toThrow(/ended without an answer: exit code 7/)
  const full = trial({ do: 'hoard' })
  await expect(full).rejects.toBeInstanceOf(ThreadCrash)
  await expect(full).rejects.toThrow(/memory limit/)
  expect(await trial({ do: 'id' })).toBeGreaterThan(0)
})

test("the handler's errors come back, a SkilletError with all its fields", async () => {
  const { trial } = open()
  await expect(trial({ do: 'throw' })).rejects.toMatchObject({ name: 'TypeError', message: 'broken: 42' })
  await expect(trial({ do: 'unclonable' })).rejects.toThrow(/could not be cloned/)
  const refusal = await trial({ do: 'refuse' }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(SkilletError)
  expect(refusal).toMatchObject({
    code: 'bad_request',
    message: 'No: 42.',
    problems: [{ pointer: '/a', message: 'wrong' }],
    data: { limit: 3 },
  })
})

test('a message that cannot be sent rejects its call and spares the thread', async () => {
  const pool = open()
  const { trial } = pool
  const before = await trial({ do: 'id' })
  await expect(pool.call(() => {})).rejects.toThrow(/could not be cloned/)
  expect(await trial({ do: 'id' })).toBe(before)
})

test('buffers are handed over', async () => {
  const { trial } = open()
  const buffer = new ArrayBuffer(64)
  expect(await trial({ do: 'length', buffer }, { transfer: [buffer] })).toBe(64)
  expect(buffer.byteLength).toBe(0)
})

test('a thread that has rested long enough ends, and the next call gets another', async () => {
  const { trial } = open({ idleMs: 0 })
  const ids = new Set<number>()
  for (let i = 0; i < 3; i++) {
    ids.add(await trial({ do: 'id' }))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(ids.size).toBeGreaterThan(1)
})

test('closing rejects what runs and what waits, and later calls', async () => {
  const pool = open()
  const running = pool.trial({ do: 'spin' })
  const waiting = pool.trial({ do: 'id' })
  const ends = Promise.allSettled([running, waiting])
  await pool.close()
  await pool.close()
  for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: { name: 'ThreadCrash' } })
  await expect(pool.trial({ do: 'id' })).rejects.toThrow(/closed/)
})

test('a missing worker file rejects the call', async () => {
  const { trial } = open({ url: workerUrl(import.meta.url, './fixtures/absent-worker') })
  await expect(trial({ do: 'id' })).rejects.toThrow(/absent-worker/)
})

test('the address of a worker follows the extension of its caller', () => {
  expect(workerUrl('file:///a/src/b.ts', './c').pathname).toBe('/a/src/c.ts')
  expect(workerUrl('file:///a/dist/b.js', './c').pathname).toBe('/a/dist/c.js')
})
