import { afterAll, beforeAll, expect, test } from 'vitest'
import { OPERATOR_TENANT } from '../model/access.ts'
import type { AuditEvent } from '../model/audit.ts'
import type { Secret } from '../model/secrets.ts'
import type { Stage } from '../model/skills.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'
import { newPackage } from '../backends/contract/engine-fixtures.ts'

interface Refusal {
  code: string
  detail: string
  errors: { pointer: string; message: string }[]
  stages?: string[]
}

let server: TestServer
let tenant: string
beforeAll(async () => {
  server = await startTestServer()
  tenant = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body.tenant
  await server.call('POST', '/api/skills', { name: 'notes' })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

let count = 0
/** Makes one that no other test knows. */
async function made(change: object = {}): Promise<Secret> {
  const answer = await server.call<Secret>('POST', '/api/secrets', {
    name: `secret-${++count}`,
    value: 'hunter2',
    ...change,
  })
  expect(answer.status).toBe(201)
  return answer.body
}
const audited = async (target: string): Promise<AuditEvent[]> =>
  (await server.engine.audit.list(tenant, { limit: 200, target })).items.toReversed()

test('a secret is made, found by id or name, given a new value and deleted; no answer has its value', async () => {
  const name = 'github-token'
  const answer = await server.call<Secret>('POST', '/api/secrets', { name, value: 'the-first-value' })
  const { body: secret } = answer
  expect(answer).toMatchObject({ status: 201, body: { name, kind: 'value', revision: 1, tenant } })
  expect(secret.path).toBe(`agent-runner/test/tenant/${tenant}/secrets/${secret.id}`)
  expect(answer.headers.get('location')).toBe(`/api/secrets/${secret.id}`)
  for (const idOrName of [name, secret.id]) {
    expect((await server.call('GET', `/api/secrets/${idOrName}`)).body).toEqual(secret)
  }
  const updated = await server.call<Secret>('PUT', `/api/secrets/${name}`, { value: 'the-second-value' })
  expect(updated).toMatchObject({ status: 200, body: { id: secret.id, path: secret.path, revision: 2 } })
  const listed = await server.call<{ items: Secret[] }>('GET', '/api/secrets?limit=200')
  expect(listed.body.items).toContainEqual(updated.body)
  expect((await server.call('DELETE', `/api/secrets/${name}`)).status).toBe(204)
  for (const [method, body] of [['GET'], ['DELETE'], ['PUT', { value: 'x' }]] as const) {
    expect((await server.call(method, `/api/secrets/${secret.id}`, body)).status).toBe(404)
  }
  expect(await audited(secret.id)).toMatchObject([
    { action: 'secret.create', outcome: 'done', detail: { name, kind: 'value' }, before: null },
    { action: 'secret.update', detail: { name, revision: 2 } },
    { action: 'secret.delete', detail: { name }, after: null },
  ])
  const shown = JSON.stringify([answer.body, updated.body, listed.body, await audited(secret.id)])
  expect(shown).not.toMatch(/the-first-value|the-second-value/)
})

test('a value is used as it was given last, under ids and names alike', async () => {
  const plain = await made({ value: ' größer\n✓ ' })
  const url = 'postgres://reader:p%40ss%2Fword@DB.example.org:5432/orders%20x?sslmode=require'
  const connection = await made({ kind: 'connection', value: url })
  await server.call('PUT', `/api/secrets/${plain.name}`, { value: 'second' })
  const got = await server.secrets.resolve(tenant, { A: plain.id, B: connection.id, C: plain.id })
  expect(got).toEqual({
    env: { A: 'second', B: url, C: 'second' },
    connections: {
      B: {
        url,
        protocol: 'postgres',
        host: 'db.example.org',
        port: 5432,
        username: 'reader',
        password: 'p@ss/word',
        path: 'orders x',
        params: { sslmode: 'require' },
      },
    },
    values: ['second', url, 'p@ss/word', 'p%40ss%2Fword'],
    variant: `${plain.id}:2,${connection.id}:1`,
    ids: [plain.id, connection.id],
  })
})

test.each([
  ['empty', 'value', ''],
  ['too long', 'value', 'x'.repeat(65_537)],
  ['too long in bytes', 'value', 'é'.repeat(32_769)],
  ['NUL', 'value', 'quote\0me'],
  ['half a character', 'value', 'quoteme\ud800'],
  ['no URL', 'connection', 'quoteme'],
  ['an opaque URL', 'connection', 'quoteme:nohost'],
  ['no host', 'connection', 'quoteme:///only/path'],
  ['two hosts', 'connection', 'quoteme://one,two/db'],
  ['broken encoding', 'connection', 'https://quoteme:%zz@host/'],
  ['no port', 'connection', 'https://quoteme:99999/'],
])('what cannot be a value is refused without being quoted: %s', async (_, kind, value) => {
  const answer = await server.call<Refusal>('POST', '/api/secrets', { name: `bad-${++count}`, kind, value })
  expect(answer).toMatchObject({ status: 400, body: { code: 'secret_invalid', errors: [{ pointer: '/value' }] } })
  expect(JSON.stringify(answer.body)).not.toMatch(/quote|x{10}|é{10}/)
  const existing = await made({ kind, value: kind === 'value' ? 'x' : 'https://host' })
  const update = await server.call<Refusal>('PUT', `/api/secrets/${existing.id}`, { value })
  expect(update).toMatchObject({ status: 400, body: { code: 'secret_invalid' } })
  expect((await server.call<Secret>('GET', `/api/secrets/${existing.id}`)).body.revision).toBe(1)
})

test('what is as long as allowed is taken', async () => {
  await made({ value: 'é'.repeat(32_768) })
})

test('names are checked and taken once', async () => {
  const { name } = await made()
  const again = await server.call<Refusal>('POST', '/api/secrets', { name, value: 'x' })
  expect(again).toMatchObject({ status: 409, body: { code: 'name_taken' } })
  for (const bad of ['', '.hidden', '-x', 'a b', 'a/b', 'é', 'a'.repeat(101), 'a\0']) {
    const answer = await server.call<Refusal>('POST', '/api/secrets', { name: bad, value: 'x' })
    expect([bad, answer.status, answer.body.errors[0]?.pointer]).toEqual([bad, 400, '/name'])
  }
})

test.each([
  '{"name":"a","value":"quoteme"',
  '{"name":"a","value":"quoteme\n"}',
  'quoteme',
  '"quoteme" "x"',
  '{"value": quoteme}',
])('a body that is not JSON is not quoted: %j', async (raw) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await server.call<Refusal>('POST', '/api/secrets', {}, { raw, headers })
  expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(JSON.stringify(answer.body)).not.toContain('quoteme')
})

test('only owners deal with secrets, and only with those of their tenant', async () => {
  const secret = await made()
  const calls = [
    ['POST', '/api/secrets', { name: 'theirs', value: 'x' }],
    ['GET', '/api/secrets', undefined],
    ['GET', `/api/secrets/${secret.name}`, undefined],
    ['PUT', `/api/secrets/${secret.id}`, { value: 'x' }],
    ['DELETE', `/api/secrets/${secret.id}`, undefined],
  ] as const
  for (const role of ['developer', 'viewer', 'agent']) {
    const { key } = (await server.call<{ key: string }>('POST', '/api/keys', { role, name: role })).body
    for (const [method, path, body] of calls) {
      expect([role, method, (await server.call(method, path, body, { key })).status]).toEqual([role, method, 403])
    }
  }
  for (const [method, path, body] of calls) {
    expect((await server.call(method, path, body, { key: server.operatorKey })).status).toBe(403)
  }
  const key = await server.strangerKey()
  const statuses = await Promise.all(
    calls.map(async ([m, path, body]) => (await server.call(m, path, body, { key })).status),
  )
  expect(statuses).toEqual([201, 200, 404, 404, 404])
  expect((await server.call<Secret>('GET', `/api/secrets/${secret.id}`)).body).toEqual(secret)
})

test('stages refer to secrets by id or name and keep ids', async () => {
  const [a, b] = [await made(), await made()]
  const config = { secret_refs: { A: a.name, B: b.id }, env: { PLAIN: 'x' } }
  const put = await server.call<Stage>('PUT', '/api/skills/notes/stages/refs', { config })
  expect(put).toMatchObject({ status: 200, body: { config: { ...config, secret_refs: { A: a.id, B: b.id } } } })

  const key = await server.strangerKey()
  const theirs = await server.call<Secret>('POST', '/api/secrets', { name: 'theirs', value: 'x' }, { key })
  const refs = { A: a.name, NONE: 'none', THEIRS: theirs.body.id, EMPTY: '' }
  const refused = await server.call<Refusal>('PUT', '/api/skills/notes/stages/refs', { config: { secret_refs: refs } })
  expect(refused).toMatchObject({ status: 400, body: { code: 'secret_unknown' } })
  expect(refused.body.errors.map(({ pointer }) => pointer)).toEqual(
    ['NONE', 'THEIRS', 'EMPTY'].map((name) => `/config/secret_refs/${name}`),
  )
  expect((await server.call<Stage>('GET', '/api/skills/notes/stages/refs')).body).toEqual(put.body)
})

test('a secret that a stage serves stays, until it serves something else', async () => {
  const secret = await made()
  const source = newPackage('sha256:served')
  const base = '/api/skills/served/stages/prod'
  await server.call('POST', '/api/skills', { name: 'served' })
  await server.call('PUT', base, { config: { secret_refs: { TOKEN: secret.name } } })
  const frozen = await server.deploy('served', 'prod', source)
  expect(frozen.config.secret_refs).toEqual({ TOKEN: secret.id })
  const remove = () => server.call<Refusal>('DELETE', `/api/secrets/${secret.name}`)
  expect(await remove()).toMatchObject({ status: 409, body: { code: 'secret_in_use', stages: ['served/prod'] } })
  await server.call('PUT', base, { config: {} })
  expect(await remove()).toMatchObject({ status: 409, body: { stages: ['served/prod'] } })
  await server.deploy('served', 'prod', newPackage('sha256:served-2'))
  expect((await remove()).status).toBe(204)
  const back = await server.call<Refusal>('POST', `${base}/rollback`, { deployment: frozen.id })
  expect(back).toMatchObject({ status: 400, body: { code: 'secret_unknown' } })
})

test('of many that update at once each gets its own value in, or is told that it did not', async () => {
  const secret = await made()
  const values = Array.from({ length: 20 }, (_, i) => `value-${i}`)
  const answers = await Promise.all(
    values.map((value) => server.call<Secret>('PUT', `/api/secrets/${secret.id}`, { value })),
  )
  expect(answers.map(({ status }) => status)).toEqual(values.map(() => 200))
  const last = answers.findIndex(({ body }) => body.revision === 21)
  const { env, variant } = await server.secrets.resolve(tenant, { A: secret.id })
  expect([env, variant]).toEqual([{ A: values[last] }, `${secret.id}:21`])
})

test('whoever resolves while values change gets one that was in force; once deleted, an error with a code', async () => {
  const secret = await made({ value: 'value-1' })
  let over = false
  const writing = (async () => {
    for (let i = 2; i <= 30; i++) await server.call('PUT', `/api/secrets/${secret.id}`, { value: `value-${i}` })
    over = true
  })()
  while (!over) {
    const { env, variant } = await server.secrets.resolve(tenant, { A: secret.id })
    expect(variant).toBe(`${secret.id}:${env['A']!.slice('value-'.length)}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await writing
  await server.call('DELETE', `/api/secrets/${secret.id}`)
  await expect(server.secrets.resolve(tenant, { A: secret.id })).rejects.toMatchObject({ code: 'secret_unknown' })
})

test('the operator rotates the master key, nobody else does, and it is in the log of the operator', async () => {
  const secret = await made({ value: 'before' })
  const rotate = (key: string) => server.call<{ rewrapped: number }>('POST', '/api/vault/rotate', undefined, { key })
  expect((await rotate(server.key)).status).toBe(403)
  const done = await rotate(server.operatorKey)
  expect(done.status).toBe(200)
  expect(done.body.rewrapped).toBeGreaterThan(0)
  expect((await server.secrets.resolve(tenant, { A: secret.id })).env).toEqual({ A: 'before' })
  const { items } = await server.engine.audit.list(OPERATOR_TENANT.id, { limit: 10, action: 'vault.rotate' })
  expect(items).toMatchObject([{ outcome: 'done', actor_kind: 'key' }])
})
