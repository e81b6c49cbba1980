import { afterAll, beforeAll, expect, test } from 'vitest'
import type { QuotaState, UsageTotals } from '../../src/model/quotas.ts'
import type { Run } from '../../src/model/runs.ts'
import { TestServer, python } from './harness.ts'

const INVOKE = '/api/skills/waiter/stages/dev/invoke'
const SOURCE = 'import time\n\ndef handler(input: dict) -> dict:\n    time.sleep(input["seconds"])\n    return {}\n'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.deploy('waiter', python('waiter', SOURCE))
})
afterAll(() => server.stop())

const begin = async (seconds: number): Promise<string> =>
  (await server.ok<{ run_id: string }>('POST', INVOKE, { input: { seconds } })).run_id

test('one run at once: the second is throttled, then there is a place again; what ran is billed and nothing else', async () => {
  await server.ok('PUT', '/api/quota', { caps: { concurrent_runs: 1, minutes_per_month: 100 } })
  const first = await begin(60)
  await expect.poll(async () => (await server.ok<Run>('GET', `/api/runs/${first}`)).status).toBe('running')
  const over = await server.call<Run>('POST', INVOKE, { input: { seconds: 0 } }, { prefer: 'wait=30' })
  expect(over.status).toBe(200)
  expect(over.body).toMatchObject({
    status: 'throttled',
    throttle: { cap: 'concurrent_runs', limit: 1 },
    billable_ms: null,
  })
  expect(over.headers.get('ratelimit')).toMatch(/^"concurrent-runs";r=0, "minutes-per-month";r=100;t=\d+$/)
  await server.ok('POST', `/api/runs/${first}/cancel`)
  const cancelled = await server.finished(first)
  const third = await server.finished(await begin(0.2))
  expect([cancelled.status, third.status]).toEqual(['cancelled', 'succeeded'])
  expect(third.billable_ms).toBe(Math.ceil(third.execution_ms!))
  expect(third.billable_ms).toBeGreaterThanOrEqual(200)
  const { totals } = await server.ok<{ totals: UsageTotals }>('GET', '/api/usage')
  expect(totals).toMatchObject({ runs: 2, succeeded: 1, cancelled: 1, throttled: 1 })
  expect(totals.billable_ms).toBe(third.billable_ms! + (cancelled.billable_ms ?? 0))
  const { states } = await server.ok<{ states: QuotaState[] }>('GET', '/api/quota')
  const minutes = states[0]!.caps.find(({ cap }) => cap === 'minutes_per_month')!
  expect(minutes.used).toBeCloseTo(totals.billable_ms / 60_000, 2)
})
