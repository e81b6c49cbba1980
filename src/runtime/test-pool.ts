import type { Deployment } from '../model/skills.ts'
import type { SessionSpec } from './driver.ts'
import { type SessionPoolOptions, createSessionPool } from './pool.ts'
import { Room } from './room.ts'
import type { Lease, SessionPool } from './session-pool.ts'
import { type TestSessions, invoke, openTestSessions } from './test-sessions.ts'

/** A pool on a real driver with a clock of its own, and deployments of one Python skill; for tests. */
export interface TestPool {
  readonly pool: SessionPool
  readonly sandboxes: TestSessions
  /** What the driver was asked for. */
  readonly specs: SessionSpec[]
  /** How each session was got, and why those that are gone have ended, in order. */
  readonly starts: string[]
  readonly ends: string[]
  /** What the pool told of: a test that expects none checks that it is empty. */
  readonly faults: unknown[]
  /** Lets time pass, in milliseconds, and sweeps. */
  later(ms: number): void
  deployment(id: string, change?: Partial<Deployment['config']> & { tenant?: string; bundle?: string }): Deployment
  /** One run, and where it was. */
  run(deployment: Deployment, input?: unknown): Promise<{ where: string; warm: boolean }>
  close(): Promise<void>
}

export const CODE = `
import os
def handler(input):
    if input == "die": os.kill(os.getppid(), 9)
    return "served"
`

export async function openTestPool(options: Partial<SessionPoolOptions> = {}): Promise<TestPool> {
  const sandboxes = await openTestSessions()
  const folder = await sandboxes.bundle({ 'main.py': CODE })
  const specs: SessionSpec[] = []
  const [starts, ends, faults]: [string[], string[], unknown[]] = [[], [], []]
  let time = Date.now()
  const pool = createSessionPool({
    now: () => time,
    observer: { started: (start) => void starts.push(start), ended: (cause) => void ends.push(cause) },
    onError: (error) => void faults.push(error),
    driver: {
      prepare(spec, signal) {
        specs.push(spec)
        // Which session a run gets is what is tested here, not what it reaches.
        return sandboxes.driver.prepare({ ...spec, network: [] }, signal)
      },
    },
    bundles: { ensure: () => Promise.resolve({ folder, release: () => {} }) },
    room: new Room({ memory_mb: 16_384 }),
    ...options,
  })

  return {
    pool,
    sandboxes,
    specs,
    starts,
    ends,
    faults,
    later(ms) {
      time += ms
      pool.sweep()
    },
    deployment: (id, { tenant = 't', bundle = 'b', ...config } = {}) => ({
      id,
      tenant,
      skill: 's',
      stage: 'dev',
      version: '1.0.0',
      digest: 'd',
      input_schema: {},
      output_schema: null,
      handler: { kind: 'python', file: 'main.py', function: 'handler', takes_context: false },
      runtime: 'python3',
      bundle_blob: bundle,
      config: { size: 'S', timeout_s: 60, isolation: 'session', env: {}, secret_refs: {}, network: [], ...config },
      change_level: null,
      origin: 'deploy',
      promoted_from: null,
      created_by: 'k',
      created_at: new Date().toISOString(),
    }),
    async run(deployment, input = null) {
      const lease = await pool.acquire(deployment)
      const served = await serve(lease, input)
      await lease.release()
      return served
    },
    async close() {
      await pool.close()
      await sandboxes.close()
    },
  }
}

/** One run in a session that is not given back. */
export async function serve(
  { session, warm }: Lease,
  input: unknown = null,
): Promise<{ where: string; warm: boolean }> {
  const { result } = await invoke(session, input)
  if (result.status !== 'succeeded') throw new Error(`The run ended with ${JSON.stringify(result)}.`)
  return { where: session.id, warm }
}
