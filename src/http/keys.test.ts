import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashKey } from '../access/keys.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('mine', 'dev', packageOf('mine'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

test('without a good key there is nothing, and the answer says how to send one', async () => {
  const unknown = `sk_${'a'.repeat(43)}`
  const headers = [
    undefined,
    '',
    'Basic abc',
    'Bearer',
    `Bearer ${unknown}`,
    `Token ${server.key}`,
    `Bearer ${server.key}x`,
  ]
  for (const authorization of headers) {
    const answer = await server.call<Refusal>('GET', '/api/whoami', undefined, {
      key: null,
      headers: authorization === undefined ? {} : { authorization },
    })
    expect([authorization, answer.status, answer.body.code]).toEqual([authorization, 401, 'unauthenticated'])
    expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    expect(JSON.stringify(answer.body)).not.toContain(server.key)
  }
})

test('a key says who it is', async () => {
  const { key: row } = (await server.engine.access.findKey(hashKey(server.key)))!
  const { body } = await server.call('GET', '/api/whoami')
  expect(body).toEqual({ key: row.id, kind: 'key', tenant: row.tenant, role: 'owner', grants: [] })
})

test('keys of roles that need a grant may do nothing without one', async () => {
  for (const role of ['developer', 'agent'] as const) {
    const key = await server.strangerKey(role)
    expect((await server.call('GET', '/api/whoami', undefined, { key })).body).toMatchObject({ role })
    const invoke = await server.call<Refusal>('POST', '/api/skills/mine/stages/dev/invoke', { input: {} }, { key })
    expect([invoke.status, invoke.body.code]).toEqual([404, 'not_found'])
    expect((await server.call('POST', '/api/skills', { name: 'x' }, { key })).status).toBe(403)
  }
  const viewer = await server.strangerKey('viewer')
  expect((await server.call('GET', '/api/skills', undefined, { key: viewer })).status).toBe(200)
  expect((await server.call('POST', '/api/skills', { name: 'x' }, { key: viewer })).status).toBe(403)
})

test("another tenant's things are as absent as those that never were", async () => {
  const key = await server.strangerKey()
  const { body: skill } = await server.call<{ id: string }>('GET', '/api/skills/mine')
  const { run_id } = (
    await server.call<{ run_id: string }>('POST', '/api/skills/mine/stages/dev/invoke', { input: { a: 1 } })
  ).body
  const calls: [string, string, unknown?][] = [
    ['GET', `/api/skills/${skill.id}`],
    ['GET', '/api/skills/mine/stages'],
    ['PUT', '/api/skills/mine/stages/dev', {}],
    ['POST', `/api/skills/${skill.id}/stages/dev/invoke`, { input: {} }],
    ['POST', '/api/skills/mine/stages/dev/deploy', { change_level: 'major' }],
    ['DELETE', `/api/skills/${skill.id}`],
    ['GET', `/api/runs/${run_id}`],
    ['GET', `/api/runs/${run_id}/events`],
    ['GET', `/api/runs/${run_id}/logs`],
    ['POST', `/api/runs/${run_id}/cancel`],
    ['POST', `/api/runs/${run_id}/replay`],
  ]
  for (const [method, path, body] of calls) {
    const answer = await server.call<Refusal>(method, path, body, { key })
    expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 404, 'not_found'])
  }
  const runs = await server.call<{ items: unknown[] }>('GET', '/api/runs', undefined, { key })
  expect(runs.body.items).toEqual([])
  expect((await server.call('GET', `/api/runs/${run_id}`)).status).toBe(200)
})
