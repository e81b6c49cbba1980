import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { finish } from '../http/fixtures/played-worker.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { Run } from '../model/runs.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('adder', 'dev', packageOf('adder'))
})
afterAll(() => server.close())

const skillet = (args: readonly string[], key = server.key): Promise<CliResult> =>
  cli(args, { env: { SKILLET_URL: server.url, SKILLET_KEY: key } })

async function begin(): Promise<string> {
  const { body } = await server.call<{ run_id: string }>('POST', '/api/skills/adder/stages/dev/invoke', {
    input: { a: 1 },
  })
  for (const claim of await server.engine.runs.take('default', 10, 60_000)) {
    await finish(server.engine, claim, { billable_ms: 90_000 })
  }
  return body.run_id
}

test('caps are set one by one, shown with what is used, and taken away', async () => {
  expect((await skillet(['quota', 'show'])).out).toBe('There are no caps.\n')
  await skillet(['quota', 'set', '--runs-per-day', '5'])
  await skillet(['quota', 'set', '--minutes-per-month', '10', '--concurrent', '3'])
  await skillet(['quota', 'set', '--skill', 'adder', '--runs-per-day', '1'])
  await begin()
  const shown = await skillet(['quota', 'show'])
  expect(shown.code).toBe(0)
  const lines = shown.out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))
  expect(lines[0]).toEqual(['SKILL', 'CAP', 'USED', 'LIMIT'])
  expect(lines).toContainEqual(['all', 'runs per day', '1', '5'])
  expect(lines).toContainEqual(['all', 'minutes per month', '1.5', '10'])
  expect(lines).toContainEqual(['all', 'concurrent runs', '0', '3'])
  expect(lines).toContainEqual(['adder', 'runs per day', '1', '1'])
  const id = await begin()
  const run = await skillet(['run', 'show', id])
  expect(run.out).toMatch(
    /^throttled \(runs per day\) .*\nThe cap of 1 runs per day of the skill "adder" is reached: 1 of 1 used\. It resets at /,
  )
  expect(JSON.parse((await skillet(['run', 'show', id, '--json'])).out) as Run).toMatchObject({
    throttle: { cap: 'runs_per_day', limit: 1 },
  })
  await skillet(['quota', 'set', '--skill', 'adder', '--runs-per-day', 'none'])
  const left = await skillet(['quota', 'set', '--runs-per-day', 'none', '--concurrent', 'none', '--json'])
  expect(JSON.parse(left.out)).toMatchObject({ caps: { minutes_per_month: 10 }, skills: [] })
})

test('an operator sets a ceiling, which holds', async () => {
  const { tenant } = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body
  const set = ['quota', 'set', '--tenant', tenant, '--runs-per-month', '40']
  expect((await skillet(set, server.operatorKey)).out).toMatch(/all +runs per month +\d+ +40 /)
  expect((await skillet(['quota', 'show', '--tenant', tenant], server.operatorKey)).out).toContain('runs per month')
  expect((await skillet(['quota', 'show'])).out).toMatch(/all +runs per month +\d+ +40 /)
  expect((await skillet(set)).code).toBe(4)
})

test('usage has a line for each day, skill or stage, and a total', async () => {
  for (const [by, name] of [
    ['day', /^\d{4}-\d\d-\d\d /m],
    ['skill', /^adder /m],
    ['stage', /^adder\/dev /m],
  ] as const) {
    const { out, code } = await skillet(['usage', '--by', by])
    expect([code, out.split('\n')[0]!.split(/ {2,}/)[0]]).toEqual([0, by.toUpperCase()])
    expect(out).toMatch(name)
    expect(out).toMatch(/^total +1 +0 +0 +1 +1\.5 /m)
  }
  expect((await skillet(['usage', '--from', '2025-01-01', '--to', '2025-01-31'])).out).toContain('Nothing was used')
})

test.each([
  [['quota', 'set'], 'No cap is named'],
  [['quota', 'set', '--runs-per-day', '-1'], 'whole number'],
  [['quota', 'set', '--runs-per-day', 'many'], 'nor "none"'],
  [['quota', 'set', '--skill', 'x', '--tenant', 'y', '--runs-per-day', '1'], 'exclude each other'],
  [['usage', '--by', 'year'], 'Allowed choices are day, skill, stage'],
])('wrong usage ends with 2: %j', async (args, said) => {
  const { code, err } = await skillet(args)
  expect(err).toContain(said)
  expect(code).toBe(2)
})
