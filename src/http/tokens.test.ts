import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLIENT, type TestIssuer, startIssuer } from '../access/fixtures/issuer.ts'
import { OidcConfigError } from '../access/oidc-config.ts'
import { startServer } from '../server.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

const PRINCIPAL = `oidc:corp:${CLIENT}`
const INVOKE = '/api/skills/adder/stages/prod/invoke'

let issuer: TestIssuer
let server: TestServer
beforeAll(async () => {
  issuer = await startIssuer()
  server = await startTestServer({
    issuers: [
      {
        name: 'corp',
        issuer: issuer.url,
        audience: issuer.audience,
        algorithms: ['ES256'],
        clock_skew_s: 0,
        tenant: { claim: 'org' },
        role: { claim: 'roles', map: { makers: 'developer', bosses: 'owner' } },
      },
    ],
  })
  await server.deploy('adder', 'prod', packageOf('adder'))
})
afterAll(async () => {
  await Promise.all([server.close(), issuer.close()])
})

const issue = (roles: string[], org = 'default') => issuer.issue({ org, roles })
const call = <T>(method: string, path: string, key: string, body?: unknown) =>
  server.call<T & { code?: string }>(method, path, body, { key })

test('a token of a real provider is somebody with a role, who needs a grant like anybody', async () => {
  const token = await issue(['makers'])
  expect((await call('GET', '/api/whoami', token)).body).toMatchObject({
    key: PRINCIPAL,
    kind: 'token',
    role: 'developer',
    grants: [],
  })
  const refused = await call('POST', INVOKE, token, { input: { a: 1 } })
  expect([refused.status, refused.body.code]).toEqual([403, 'not_granted'])
  await server.call('POST', '/api/grants', { principal: PRINCIPAL, allowed_skills: ['adder'], stages: ['prod'] })
  const run = await call<{ run_id: string }>('POST', INVOKE, token, { input: { a: 1 } })
  expect(run.status).toBe(202)
  expect((await call('GET', `/api/runs/${run.body.run_id}`, token)).body).toMatchObject({ created_by: PRINCIPAL })
  expect((await call('POST', '/api/skills', token, { name: 'mine' })).body.code).toBe('forbidden')
  const audit = await server.call<{ items: { action: string; actor_kind: string }[] }>(
    'GET',
    `/api/audit?actor=${encodeURIComponent(PRINCIPAL)}`,
  )
  expect(audit.body.items.map(({ action, actor_kind }) => `${actor_kind} ${action}`)).toEqual([
    'token access.denied',
    'token run.invoke',
    'token access.denied',
  ])
})

test('what an owner may do, a token with that role may, and no token is an operator', async () => {
  const token = await issue(['makers', 'bosses'])
  expect((await call('POST', '/api/skills', token, { name: 'ours' })).status).toBe(201)
  expect((await call('GET', '/api/tenants', token)).body.code).toBe('forbidden')
  expect((await call('GET', '/api/whoami', await issue(['bosses'], 'operator'))).status).toBe(401)
})

test('a token that is not good says why, and shows nothing of itself', async () => {
  const token = await issuer.sign({ org: 'default', roles: ['makers'], exp: Math.floor(Date.now() / 1000) - 5 })
  const answer = await call<{ detail: string }>('GET', '/api/whoami', token)
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  expect(answer.body.detail).toContain('expired')
  expect(answer.headers.get('www-authenticate')).toContain('Bearer')
  for (const part of token.split('.')) expect(JSON.stringify(answer.body)).not.toContain(part)
})

test('a suspended tenant is shut to its tokens at once', async () => {
  const token = await issue(['makers'])
  const operator = { key: server.operatorKey }
  expect((await call('GET', '/api/whoami', token)).status).toBe(200)
  await server.call('PATCH', '/api/tenants/default', { suspended: true }, operator)
  const refused = await call('GET', '/api/whoami', token)
  expect([refused.status, refused.body.code]).toEqual([403, 'tenant_suspended'])
  await server.call('PATCH', '/api/tenants/default', { suspended: false }, operator)
  expect((await call('GET', '/api/whoami', token)).status).toBe(200)
  expect(server.faults).toEqual([])
})

test('while the issuer cannot be asked its tokens wait and keys go on', async () => {
  await using other = await startedWithoutIssuer()
  const answer = await other.server.call<{ code: string }>('GET', '/api/whoami', undefined, { key: other.token })
  expect([answer.status, answer.body.code]).toEqual([503, 'identity_unavailable'])
  expect(answer.headers.get('retry-after')).not.toBeNull()
  expect((await other.server.call('GET', '/api/whoami')).status).toBe(200)
  // The operator's log has the reason.
  expect(other.server.faults).toMatchObject([{ message: expect.stringContaining('openid-configuration') }])
})

async function startedWithoutIssuer() {
  const gone = await startIssuer()
  const token = await gone.sign()
  const started = await startTestServer({
    issuers: [
      {
        name: 'gone',
        issuer: gone.url,
        audience: gone.audience,
        algorithms: ['ES256'],
        clock_skew_s: 0,
        tenant: { value: 'default' },
        role: { claim: 'roles', map: {}, default: 'viewer' },
      },
    ],
  })
  await gone.close()
  return { server: started, token, [Symbol.asyncDispose]: () => started.close() }
}

test('a file of issuers that cannot be used stops the start before anything is made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-tokens-'))
  try {
    const oidcFile = join(folder, 'issuers.json')
    await writeFile(oidcFile, '{"issuers":[]}')
    const starting = startServer({ dataDir: join(folder, 'data'), port: 0, oidcFile, log: () => {} })
    await expect(starting).rejects.toThrow(OidcConfigError)
    expect(await readdir(folder)).toEqual(['issuers.json'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
