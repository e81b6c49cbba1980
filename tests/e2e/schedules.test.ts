import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fire, Schedule } from '../../src/model/schedules.ts'
import { TestServer, python } from './harness.ts'

const MINUTE = 60_000
const CODE = `import time

def handler(input: dict) -> dict:
    if input.get("long"):
        time.sleep(120)
    return {"said": input.get("say")}
`

let dataDir: string
let server: TestServer
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-e2e-'))
  server = await TestServer.start({ dataDir, leaseMs: 30 * MINUTE })
  await server.deploy('clock', python('clock', CODE), { size: 'M' })
})
afterAll(async () => {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const path = (stage: string): string => `/api/skills/clock/stages/${stage}/schedule`
const firesOf = async (stage: string): Promise<Fire[]> =>
  (await server.ok<{ items: Fire[] }>('GET', `${path(stage)}/fires`)).items

/** What waiting for a minute to begin would come to: the schedules' next instant is that. */
function letItBe(instant: number, stages: readonly string[]): void {
  const db = new DatabaseSync(join(dataDir, 'skillet.db'))
  for (const stage of stages)
    db.prepare('UPDATE schedules SET instant = ?, due = ? WHERE stage = ?').run(instant, instant, stage)
  db.close()
}

test('what came about while the server was down is made up for, or is told of, or fails with its reason', async () => {
  await server.ok('PUT', '/api/skills/clock/stages/empty', { config: {} })
  await server.ok('POST', '/api/skills/clock/stages/dev/promote', { to: 'strict' })
  const spec = { cron: '* * * * *', zone: 'Europe/Berlin', input: { say: 'tick' } }
  const dev = await server.ok<Schedule>('PUT', path('dev'), spec)
  const empty = await server.ok<Schedule>('PUT', path('empty'), spec)
  const strict = await server.ok<Schedule>('PUT', path('strict'), { ...spec, catch_up: 'none' })
  await server.stop()
  const down = Date.now() - (Date.now() % MINUTE) - 5 * MINUTE
  letItBe(down, [dev.stage, empty.stage, strict.stage])
  server = await TestServer.start({ dataDir, leaseMs: 30 * MINUTE })

  const fires = await server.until(
    () => firesOf('dev'),
    (all) => all.length >= 2,
  )
  // Newest first; there may be more by now.
  const [made, missed] = fires.slice(-2) as [Fire, Fire]
  expect(missed).toMatchObject({ outcome: 'missed', scheduled_for: new Date(down).toISOString(), run: null })
  expect(Date.parse(missed.missed_until!)).toBe(Date.parse(made.scheduled_for) - MINUTE)
  expect(made.outcome).toBe('started')
  expect(await server.finished(made.run!)).toMatchObject({
    status: 'succeeded',
    output: { said: 'tick' },
    scheduled_for: made.scheduled_for,
    created_by: `schedule:${dev.stage}`,
  })
  const [failed] = await server.until(
    () => firesOf('empty'),
    (all) => all.length >= 2,
  )
  expect(await server.find(failed!.run!)).toMatchObject({
    status: 'failed',
    reason: 'stage_not_active',
    deployment: null,
  })
  const told = await server.until(
    () => firesOf('strict'),
    (all) => all.length > 0,
  )
  expect(told.at(-1)).toMatchObject({ outcome: 'missed', scheduled_for: new Date(down).toISOString() })
  for (const stage of ['dev', 'empty', 'strict']) await server.ok('DELETE', path(stage))
})

test('cancel_other: the run before is ended at once, long before the next heartbeat', async () => {
  const spec = { cron: '0 0 1 1 *', zone: 'UTC', overlap: 'cancel_other', input: { long: true } }
  const { stage } = await server.ok<Schedule>('PUT', path('dev'), spec)
  // Any instants will do: what is due is fired.
  const first = Date.now() - (Date.now() % MINUTE) - 2 * MINUTE
  letItBe(first, [stage])
  const runOf = async (at: number): Promise<string> => {
    // Whoever puts a schedule has all looked at.
    await server.ok('PUT', path('empty'), { cron: '0 0 1 1 *', zone: 'UTC' })
    const fires = await server.until(
      () => firesOf('dev'),
      (all) => all.some(({ scheduled_for }) => Date.parse(scheduled_for) === at),
    )
    return fires.find(({ scheduled_for }) => Date.parse(scheduled_for) === at)!.run!
  }
  const before = await runOf(first)
  await server.reached(before, 'running')
  letItBe(first + MINUTE, [stage])
  const after = await runOf(first + MINUTE)
  expect(await server.finished(before)).toMatchObject({ status: 'cancelled' })
  await server.reached(after, 'running')
  await server.ok('DELETE', path('dev'))
  await server.ok('POST', `/api/runs/${after}/cancel`)
  expect(await server.finished(after)).toMatchObject({ status: 'cancelled' })
})
