import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashKey } from '../access/keys.ts'
import type { ApiKey, Tenant } from '../model/access.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
}
interface Made {
  tenant: Tenant
  owner_key: ApiKey & { key: string }
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const asOperator = <T>(method: string, path: string, body?: unknown) =>
  server.call<T>(method, path, body, { key: server.operatorKey })
const create = async (name: string, more: object = {}): Promise<Made> =>
  (await asOperator<Made>('POST', '/api/tenants', { name, ...more })).body
const statusAs = async (key: string): Promise<number> =>
  (await server.call('GET', '/api/skills', undefined, { key })).status

test('an operator makes a tenant, whose owner key works and is never shown again', async () => {
  const answer = await asOperator<Made>('POST', '/api/tenants', { name: 'acme', zone: 'Europe/Berlin' })
  const { tenant, owner_key } = answer.body
  expect(answer.status).toBe(201)
  expect(answer.headers.get('location')).toBe(`/api/tenants/${tenant.id}`)
  expect(tenant).toMatchObject({ name: 'acme', zone: 'Europe/Berlin', suspended: false })
  expect(owner_key).toMatchObject({ tenant: tenant.id, role: 'owner', expires_at: null })
  const { body } = await server.call('GET', '/api/whoami', undefined, { key: owner_key.key })
  expect(body).toMatchObject({ key: owner_key.id, tenant: tenant.id, role: 'owner' })
  for (const reference of ['acme', tenant.id]) {
    const shown = await asOperator('GET', `/api/tenants/${reference}`)
    expect(shown.body).toEqual(tenant)
    expect(JSON.stringify(shown.body)).not.toContain(owner_key.key)
  }
})

test('names are taken once, in every tenant, and the operator has one', async () => {
  await create('twice')
  const cases: [object, number, string][] = [
    [{ name: 'twice' }, 409, 'name_taken'],
    [{ name: 'default' }, 409, 'name_taken'],
    [{ name: 'operator' }, 400, 'name_reserved'],
    [{ name: 'Not A Name' }, 400, 'bad_request'],
    [{ name: 'nowhere', zone: 'Europe/Nowhere' }, 400, 'zone_unknown'],
    [{ name: 'nowhere', zone: '+01:00' }, 400, 'zone_unknown'],
    [{ name: 'nowhere', more: 1 }, 400, 'bad_request'],
  ]
  for (const [body, status, code] of cases) {
    const answer = await asOperator<Refusal>('POST', '/api/tenants', body)
    expect([body, answer.status, answer.body.code]).toEqual([body, status, code])
  }
  expect((await asOperator('GET', '/api/tenants/nowhere')).status).toBe(404)
})

test('tenants are listed in pages, without the one that operators belong to', async () => {
  for (const name of ['one', 'two', 'three']) await create(name)
  const first = (await asOperator<{ items: Tenant[]; next: string }>('GET', '/api/tenants?limit=2')).body
  expect(first.items.map(({ name }) => name)).toHaveLength(2)
  const rest = (await asOperator<{ items: Tenant[] }>('GET', `/api/tenants?limit=200&cursor=${first.next}`)).body
  const names = [...first.items, ...rest.items].map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['one', 'two', 'three', 'default']))
  expect(names).not.toContain('operator')
})

test('suspending counts at once, also for a key that was just used, and so does resuming', async () => {
  const { tenant, owner_key } = await create('late-payer')
  expect(await statusAs(owner_key.key)).toBe(200)
  const suspended = await asOperator<Tenant>('PATCH', '/api/tenants/late-payer', { suspended: true })
  expect(suspended.body).toEqual({ ...tenant, suspended: true })
  const refused = await server.call<Refusal>('GET', '/api/skills', undefined, { key: owner_key.key })
  expect([refused.status, refused.body.code]).toEqual([403, 'tenant_suspended'])
  expect(await statusAs(server.key)).toBe(200)
  await asOperator('PATCH', `/api/tenants/${tenant.id}`, { suspended: false })
  expect(await statusAs(owner_key.key)).toBe(200)
})

test('a tenant is moved to another zone, and nothing else of it can be changed', async () => {
  const { tenant } = await create('mover')
  const path = '/api/tenants/mover'
  expect((await asOperator('PATCH', path, { zone: 'Asia/Tokyo' })).body).toEqual({ ...tenant, zone: 'Asia/Tokyo' })
  for (const body of [{}, { name: 'other' }, { zone: '' }, { suspended: 'yes' }, { suspended: null }]) {
    const answer = await asOperator<Refusal>('PATCH', path, body)
    expect([body, answer.status, answer.body.code]).toEqual([body, 400, 'bad_request'])
  }
  const unknown = await asOperator<Refusal>('PATCH', path, { suspended: true, zone: 'Mars/Base' })
  expect([unknown.status, unknown.body.code]).toEqual([400, 'zone_unknown'])
  expect((await asOperator('GET', path)).body).toEqual({ ...tenant, zone: 'Asia/Tokyo' })
})

test('a tenant that revoked all of its keys gets a new owner key from the operator', async () => {
  const { tenant, owner_key } = await create('locked-out')
  await server.call('DELETE', `/api/keys/${owner_key.id}`, undefined, { key: owner_key.key })
  expect(await statusAs(owner_key.key)).toBe(401)
  const fresh = await asOperator<ApiKey & { key: string }>('POST', '/api/tenants/locked-out/keys', { name: 'again' })
  expect(fresh).toMatchObject({ status: 201, body: { tenant: tenant.id, role: 'owner', name: 'again' } })
  expect(await statusAs(fresh.body.key)).toBe(200)
  expect((await asOperator('POST', '/api/tenants/locked-out/keys')).status).toBe(201)
  expect((await asOperator('POST', '/api/tenants/locked-out/keys', { role: 'agent' })).status).toBe(400)
})

test('the tenant of the operators is out of reach, and tenants are out of reach of owners', async () => {
  const operators = (await server.engine.access.findKey(hashKey(server.operatorKey)))!.tenant
  for (const reference of ['operator', operators.id, 'nobody']) {
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { suspended: true }],
      ['POST', '/keys', {}],
    ]
    for (const [method, rest, body] of calls) {
      const answer = await asOperator<Refusal>(method, `/api/tenants/${reference}${rest}`, body)
      expect([reference, method, answer.status, answer.body.code]).toEqual([reference, method, 404, 'not_found'])
    }
  }
  expect((await server.call('GET', '/api/tenants')).status).toBe(403)
  expect((await server.call('POST', '/api/tenants', { name: 'mine' })).status).toBe(403)
  for (const path of ['/api/skills', '/api/grants', '/api/runs']) {
    expect([path, (await asOperator('GET', path)).status]).toEqual([path, 403])
  }
})

test("what an operator does is in the operator's log and in the tenant's, with who did it", async () => {
  const { tenant } = await create('watched')
  await asOperator('PATCH', '/api/tenants/watched', { suspended: true })
  await asOperator('POST', '/api/tenants/watched/keys')
  const { key: operator } = (await server.engine.access.findKey(hashKey(server.operatorKey)))!
  const theirs = await server.engine.audit.read(tenant.id, 0, 10)
  expect(theirs.map(({ action, actor, detail }) => [action, actor, detail])).toMatchObject([
    ['tenant.create', operator.id, { name: 'watched' }],
    ['tenant.update', operator.id, { suspended: true }],
    ['key.create', operator.id, { role: 'owner' }],
  ])
  expect(theirs[0]!.client).toMatch(/127\.0\.0\.1$/)
  const ours = await server.engine.audit.read(operator.tenant, 0, 200)
  const requests = (rows: typeof ours) => rows.map((row) => row.request_id)
  expect(requests(ours)).toEqual(expect.arrayContaining(requests(theirs)))
})
