import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { AuditEvent } from '../model/audit.ts'
import type { Deployment } from '../model/skills.ts'

let server: TestServer
let adder: Deployment
let notes: Deployment
beforeAll(async () => {
  server = await startTestServer()
  adder = await server.deploy('adder', 'dev', packageOf('one'))
  notes = await server.deploy('notes', 'prod', packageOf('one'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})
beforeEach(() => {
  server.kept.splice(0, Infinity, adder, notes, { ...notes, id: 'dep_elsewhere', tenant: 'ten_other' })
})

const skillet = (args: string[], key = server.key): Promise<CliResult> =>
  cli(args, { env: { SKILLET_URL: server.url, SKILLET_KEY: key } })
const left = (): string[] => server.kept.map(({ id }) => id)

test('the sandboxes of the tenant are listed with the names of their stages', async () => {
  const { code, out } = await skillet(['session', 'list'])
  expect(code).toBe(0)
  const [, first, second, ...more] = out.trimEnd().split('\n')
  expect(first).toMatch(/^session-of-\S+ +idle +adder\/dev +1\.0\.0 +1 +2000 ms +1000 ms +256 MB +no$/)
  expect(second).toContain('notes/prod')
  expect(more).toEqual([])
  const json = JSON.parse((await skillet(['session', 'list', '--json'])).out) as { items: { deployment: string }[] }
  expect(json.items.map(({ deployment }) => deployment)).toEqual([adder.id, notes.id])
})

test('a stage is flushed, and no other', async () => {
  const { code, out } = await skillet(['session', 'flush', 'notes/prod'])
  expect([code, out]).toEqual([0, '1 sandbox(es) ended, 0 end(s) after the run that is under way.\n'])
  expect(left()).toEqual([adder.id, 'dep_elsewhere'])
})

test('the tenant is flushed, and no other', async () => {
  expect((await skillet(['session', 'flush', '--json'])).out).toBe(
    `${JSON.stringify({ ended: 2, after_run: 0 }, null, 2)}\n`,
  )
  expect(left()).toEqual(['dep_elsewhere'])
})

test('the operator flushes all tenants, which an owner may not', async () => {
  const refused = await skillet(['session', 'flush', '--all'])
  expect([refused.code, left().length]).toEqual([4, 3])
  expect((await skillet(['session', 'flush', '--all'], server.operatorKey)).code).toBe(0)
  expect(left()).toEqual([])
})

test('the operator sees what a tenant keeps, by ids', async () => {
  const { code, out } = await skillet(['session', 'list', '--tenant', adder.tenant], server.operatorKey)
  expect([code, out.includes(`${adder.skill}/${adder.stage}`), out.includes('ten_other')]).toEqual([0, true, false])
})

test.each([
  [['notes'], '"notes" names no stage'],
  [['notes/prod/more'], '"notes/prod/more" names no stage'],
  [['notes/prod', '--all'], 'A stage and --all were given'],
])('%j is wrong usage', async (args, message) => {
  const { code, err } = await skillet(['session', 'flush', ...args])
  expect([code, err.includes(message), left().length]).toEqual([2, true, 3])
})

test('what is not there cannot be flushed', async () => {
  const { code, err } = await skillet(['session', 'flush', 'notes/none'])
  expect([code, err.includes('notes/none')]).toEqual([5, true])
})

test('each flush is in the audit log of whoever did it', async () => {
  await skillet(['session', 'flush', 'adder/dev'])
  await skillet(['session', 'flush'])
  await skillet(['session', 'flush', '--all'], server.operatorKey)
  const targets = async (key: string): Promise<string[]> => {
    const { body } = await server.call<{ items: AuditEvent[] }>(
      'GET',
      '/api/audit?action=session.flush&limit=2',
      undefined,
      { key },
    )
    return body.items.map(({ target_kind, target, outcome }) => `${target_kind} ${target} ${outcome}`)
  }
  expect(await targets(server.key)).toEqual([`tenant ${adder.tenant} done`, `stage ${adder.skill}/dev done`])
  expect((await targets(server.operatorKey))[0]).toMatch(/^tenant \S+ done$/)
})
