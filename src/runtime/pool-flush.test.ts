import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestPool, openTestPool, serve } from './test-pool.ts'
import { type TestSessions, openTestSessions } from './test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

/** A pool that is told of a flush so many steps of the event loop's microtasks after a sandbox is there. */
async function flushedAfter(steps: number, flush: (pool: TestPool) => void): Promise<TestPool> {
  const opened: TestPool = await openTestPool({
    driver: {
      async prepare(spec, signal) {
        const session = await sandboxes.driver.prepare({ ...spec, network: [] }, signal)
        let left = steps
        const step = (): void => (left-- === 0 ? flush(opened) : queueMicrotask(step))
        step()
        return session
      },
    },
    bundles: { ensure: async () => ({ folder: await folder(), release: () => {} }) },
  })
  return opened
}

const folder = (): Promise<string> => (bundle ??= sandboxes.bundle({ 'main.py': 'def handler(input): return 1' }))
let bundle: Promise<string> | null = null

/** More than a sandbox needs from being there to its place. */
const STEPS = Array.from({ length: 16 }, (_, step) => step)

test.each(['flush', 'retire'] as const)(
  'a %s misses no session, at whatever step of its way it is to a run',
  async (way) => {
    for (const steps of STEPS) {
      const { pool, deployment, close, ends } = await flushedAfter(steps, (it) =>
        way === 'flush' ? it.pool.flush(() => true) : it.pool.retire('a'),
      )
      const lease = await pool.acquire(deployment('a'))
      await serve(lease)
      await lease.release()
      expect({ steps, ends }).toEqual({ steps, ends: [way === 'flush' ? 'flush' : 'retired'] })
      await close()
    }
  },
)

test('nor one that is made ahead', async () => {
  for (const steps of STEPS) {
    const { pool, deployment, close, ends } = await flushedAfter(steps, (it) => it.pool.flush(() => true))
    await pool.warmUp(deployment('a'))
    expect({ steps, ends, left: pool.stats().spare }).toEqual({ steps, ends: ['flush'], left: 0 })
    await close()
  }
})
