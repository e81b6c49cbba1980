import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiKey, Role } from '../model/access.ts'
import { now } from '../model/json.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  errors: { pointer: string }[]
}
type Created = ApiKey & { key: string }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const create = async (body: object): Promise<Created> => (await server.call<Created>('POST', '/api/keys', body)).body
const count = async (): Promise<number> =>
  (await server.call<{ items: unknown[] }>('GET', '/api/keys?limit=200')).body.items.length
const whoami = (key: string) => server.call<{ role: string }>('GET', '/api/whoami', undefined, { key })

test('an owner makes keys of every role, and each is shown once', async () => {
  for (const role of Role.options) {
    const answer = await server.call<Created>('POST', '/api/keys', { role, name: `for ${role}` })
    const { key, ...row } = answer.body
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/keys/${row.id}`)
    expect(row).toMatchObject({ role, name: `for ${role}`, expires_at: null, last_used_at: null, revoked_at: null })
    expect(key.startsWith(row.prefix)).toBe(true)
    const shown = await server.call<ApiKey>('GET', `/api/keys/${row.id}`)
    expect(shown.body).toEqual(row)
    expect((await whoami(key)).body.role).toBe(role)
  }
})

test('keys are listed, newest first, with who made them and without what they are used by', async () => {
  const made = [await create({ role: 'agent', name: 'a' }), await create({ role: 'agent', name: 'b' })]
  const { body } = await server.call<{ items: ApiKey[]; next: string | null }>('GET', '/api/keys?limit=200')
  expect(body.items.map(({ id }) => id)).toEqual(
    body.items
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
  )
  expect(body.items.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)))
  const me = (await server.call<{ key: string }>('GET', '/api/whoami')).body.key
  expect(body.items.find(({ id }) => id === made[0]!.id)!.created_by).toBe(me)
  for (const { key } of made) expect(JSON.stringify(body)).not.toContain(key)
})

test('a revoked key is refused at the very next request, and its record stays', async () => {
  const made = await create({ role: 'developer', name: 'leaver' })
  expect((await whoami(made.key)).status).toBe(200)
  const revoked = await server.call<ApiKey>('DELETE', `/api/keys/${made.id}`)
  expect(revoked.status).toBe(200)
  expect(revoked.body.revoked_at).not.toBeNull()
  expect((await whoami(made.key)).status).toBe(401)
  expect((await server.call('DELETE', `/api/keys/${made.id}`)).body).toEqual(revoked.body)
  expect((await server.call('GET', `/api/keys/${made.id}`)).body).toEqual(revoked.body)
})

test('an expiry lies in the future, and holds in whatever form it was written', async () => {
  const inAnHour = `${now(Date.now() + 3_600_000).slice(0, 19)}Z`
  const made = await create({ role: 'agent', name: 'for an hour', expires_at: inAnHour })
  expect(made.expires_at).toBe(inAnHour.replace('Z', '.000Z'))
  expect((await whoami(made.key)).status).toBe(200)
  for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow', '2030-02-30T00:00:00Z', 5]) {
    const answer = await server.call<Refusal>('POST', '/api/keys', { role: 'agent', name: 'x', expires_at })
    expect([expires_at, answer.status, answer.body.code]).toEqual([expires_at, 400, 'bad_request'])
    expect(answer.body.errors[0]!.pointer).toBe('/expires_at')
  }
})

test('what cannot be a key is refused, and no key is made', async () => {
  const before = await count()
  const bodies = [
    { role: 'operator', name: 'x' },
    { role: 'agent' },
    { role: 'agent', name: '' },
    { role: 'agent', name: 'x'.repeat(101) },
    { role: 'agent', name: 'two\nlines' },
    { role: 'agent', name: '\u001b[31mred' },
    { role: 'agent', name: 'turned \u202e round' },
    { role: 'agent', name: 'x', tenant: 'ten_other' },
  ]
  for (const body of bodies) {
    const answer = await server.call<Refusal>('POST', '/api/keys', body)
    expect([body, answer.status, answer.body.code]).toEqual([body, 400, 'bad_request'])
  }
  expect(await count()).toBe(before)
})

test("another tenant's keys are as absent as those that never were", async () => {
  const made = await create({ role: 'agent', name: 'mine' })
  const key = await server.strangerKey()
  for (const method of ['GET', 'DELETE']) {
    for (const id of [made.id, 'key_none']) {
      const answer = await server.call<Refusal>(method, `/api/keys/${id}`, undefined, { key })
      expect([method, id, answer.status, answer.body.code]).toEqual([method, id, 404, 'not_found'])
    }
  }
  const { items } = (await server.call<{ items: ApiKey[] }>('GET', '/api/keys', undefined, { key })).body
  expect(items).toHaveLength(1)
  expect((await whoami(made.key)).status).toBe(200)
})

test('making and revoking is in the audit log; the key itself is in no file', async () => {
  const made = await create({ role: 'agent', name: 'seen' })
  await server.call('DELETE', `/api/keys/${made.id}`)
  const rows = (await server.engine.audit.read(made.tenant, 0, 1000)).filter(({ target }) => target === made.id)
  expect(rows).toMatchObject([
    { action: 'key.create', detail: { role: 'agent', name: 'seen', prefix: made.prefix } },
    { action: 'key.revoke', detail: { deleted_grants: [] } },
  ])
  for (const entry of await readdir(server.dataDir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    expect((await readFile(join(entry.parentPath, entry.name))).includes(made.key), entry.name).toBe(false)
  }
})
