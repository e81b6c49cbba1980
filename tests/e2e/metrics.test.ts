import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestServer, python } from './harness.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

/** Samples by name and labels, as a scraper reads them: exposition format 0.0.4. */
async function scrape(): Promise<Map<string, number>> {
  const operator = readFileSync(join(server.dataDir, 'operator.key'), 'utf8').trim()
  const answer = await server.call<string>('GET', '/metrics', undefined, { authorization: `Bearer ${operator}` })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = answer.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line)!
      return [name!, Number(value)]
    }),
  )
}

test('what ran, what waits and what it cost can be read by Prometheus', async () => {
  const code =
    'def handler(input: dict) -> dict:\n    if input.get("fail"):\n        raise ValueError("no")\n    return input\n'
  await server.deploy('measured', python('measured', code), { size: 'S' })
  await server.run('measured', {})
  await server.run('measured', {})
  await server.run('measured', { fail: true })
  await server.ok('POST', '/api/skills/measured/stages/dev/pause')
  await server.begin('measured', {})

  const samples = await scrape()
  expect(samples.get('skillet_runs_total{status="succeeded",reason=""}')).toBe(2)
  expect(samples.get('skillet_runs_total{status="failed",reason="runtime_error"}')).toBe(1)
  expect(samples.get('skillet_queue_runs{queue="default",state="paused"}')).toBe(1)
  expect(samples.get('skillet_queue_oldest_seconds{queue="default",state="paused"}')).toBeGreaterThanOrEqual(0)
  expect(samples.get('skillet_run_execution_seconds_count{status="succeeded"}')).toBe(2)
  const starts = (kind: string): number => samples.get(`skillet_run_start_seconds_count{start="${kind}"}`) ?? 0
  expect(starts('cold') + starts('spare') + starts('warm')).toBe(3)
  expect(starts('warm')).toBeGreaterThan(0)
  expect(samples.get('skillet_admission_memory_bytes{kind="used"}')).toBeGreaterThanOrEqual(256 * 2 ** 20)
  expect(samples.get('skillet_admission_memory_bytes{kind="limit"}')).toBeGreaterThan(256 * 2 ** 20)
  expect(samples.get('skillet_admission_waiting')).toBe(0)
  expect(samples.get('skillet_sqlite_commit_seconds_count')).toBeGreaterThan(3)
  expect(
    (samples.get('skillet_sessions{state="idle"}') ?? 0) + (samples.get('skillet_sessions{state="busy"}') ?? 0),
  ).toBeGreaterThan(0)
  const route = '/api/skills/{skill}/stages/{stage}/invoke'
  expect(samples.get(`skillet_http_request_seconds_count{route="${route}",method="POST",status="200"}`)).toBe(3)
  expect(samples.get('skillet_build_info{version="0.1.0"}')).toBe(1)
})

test('no series is named by what a tenant chose', async () => {
  const text = [...(await scrape()).keys()].join('\n')
  expect(text).not.toContain('measured')
  expect(text).not.toMatch(/ten_|skl_|stg_|run_[0-9a-z]{26}|key_/)
})
