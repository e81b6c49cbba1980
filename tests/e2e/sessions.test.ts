import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Flushed, SessionInfo } from '../../src/model/sessions.ts'
import type { LogLine } from '../../src/model/runs.ts'
import { machineMemoryMb } from '../../src/runtime/machine-memory.ts'
import { type CliResult, cli } from '../support/cli.ts'
import { TestServer, python } from './harness.ts'

const ECHO = python('echo', 'def handler(input: dict) -> dict:\n    return input\n')

let server: TestServer
beforeAll(async () => {
  // As small a machine as can hold a spare beside a run, and not the size L.
  server = await TestServer.start({ memoryFactor: 900 / machineMemoryMb() })
})
afterAll(() => server.stop())

const skillet = (...args: string[]): Promise<CliResult> =>
  cli(args, { env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
const sessions = async (): Promise<SessionInfo[]> =>
  (await server.ok<{ items: SessionInfo[] }>('GET', '/api/sessions')).items

test('a run says which sandbox it had and whether that had served before, however it was got', async () => {
  await server.deploy('cold', ECHO, { size: 'S' })
  await server.until(sessions, (all) => all.some(({ state }) => state === 'spare'))
  const spare = (await sessions())[0]!
  const first = await server.run('cold', {})
  expect([first.session, first.warm]).toEqual([spare.id, false])
  const second = await server.run('cold', {})
  expect([second.session, second.warm]).toEqual([spare.id, true])
  await server.until(sessions, (all) => all[0]!.state === 'idle')
  expect(await sessions()).toMatchObject([{ id: spare.id, state: 'idle', runs: 2, memory_mb: 256, network: false }])

  expect(await server.ok<Flushed>('POST', '/api/skills/cold/stages/dev/sessions/flush')).toEqual({
    ended: 1,
    after_run: 0,
  })
  expect(await sessions()).toEqual([])
  const cold = await server.run('cold', {})
  expect([cold.session === spare.id, cold.warm]).toEqual([false, false])

  for (const run of [second, cold]) {
    const { code, out } = await skillet('run', 'show', run.id)
    expect([code, out.includes(`in ${run.session}\n`)]).toEqual([0, true])
    expect(out).toContain(run.warm === true ? '(warm sandbox)' : '(new sandbox)')
  }
})

test('a stage whose runs may take more memory than there is says so with each run', async () => {
  await server.deploy('large', ECHO, { size: 'L' })
  const run = await server.run('large', {})
  expect([run.status, run.reason]).toEqual(['failed', 'sandbox_error'])
  expect(run.error!.message).toMatch(/1024 MB is larger than the \d+ MB .*--memory-factor/)
})

test('a connection by address is told of in the log of the run; one by name opens its host', async () => {
  const secret = { kind: 'connection', name: 'database' }
  await server.ok('POST', '/api/secrets', { ...secret, value: 'postgres://reader:geheim@10.0.0.5/orders' })
  await server.deploy('reader', ECHO, { size: 'S', secret_refs: { DB: 'database' } })
  const logs = async (): Promise<LogLine[]> => {
    const run = await server.run('reader', {})
    expect(run.status).toBe('succeeded')
    return (await server.ok<{ items: LogLine[] }>('GET', `/api/runs/${run.id}/logs`)).items
  }
  expect(await logs()).toMatchObject([
    { stream: 'system', text: expect.stringMatching(/^The connection DB cannot be reached/) },
  ])
  const { id } = await server.ok<{ id: string }>('GET', '/api/secrets/database')
  await server.ok('PUT', `/api/secrets/${id}`, { value: 'postgres://reader:geheim@db.example.org/orders' })
  expect(await logs()).toEqual([])
  expect((await sessions()).filter(({ network }) => network)).toHaveLength(1)
})
