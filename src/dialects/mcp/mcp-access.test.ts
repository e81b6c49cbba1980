import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestIssuer, startIssuer } from '../../access/fixtures/issuer.ts'
import { packageOf } from '../../http/fixtures/packages.ts'
import { type TestServer, startTestServer } from '../../http/fixtures/test-server.ts'
import type { Role } from '../../model/access.ts'
import { LIMITS } from '../../model/sizes.ts'
import { guideOf } from '../fixtures/guides.ts'
import { modern, send } from './fixtures/rpc.ts'

const PUBLIC = 'https://skills.example.com'
const METADATA = '/.well-known/oauth-protected-resource'

let issuer: TestIssuer
let server: TestServer
beforeAll(async () => {
  issuer = await startIssuer()
  server = await startTestServer({
    publicUrl: PUBLIC,
    issuers: [
      {
        name: 'corp',
        issuer: issuer.url,
        audience: issuer.audience,
        algorithms: ['ES256'],
        clock_skew_s: 0,
        tenant: { claim: 'org' },
        role: { claim: 'scope', map: { 'skills:use': 'agent', 'skills:look': 'viewer', 'skills:own': 'owner' } },
      },
    ],
  })
  await server.deploy('adder', 'prod', packageOf('adder'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await Promise.all([server.close(), issuer.close()])
})

const ask = (method: string, params: object, options: Parameters<typeof send>[2]) => {
  const { message, headers } = modern(method, params as Record<string, unknown>)
  return send(server.url, message, { ...options, headers: { ...headers, ...options?.headers } })
}
const newKey = async (role: Role): Promise<{ key: string; id: string }> => {
  const { body } = await server.call<{ key: string; id: string }>('POST', '/api/keys', { name: `a ${role}`, role })
  return body
}
const toolsOf = async (key: string) => {
  const { body } = await ask('tools/list', {}, { key })
  return (body.result!['tools'] as { name: string }[]).map(({ name }) => name)
}

const token = (claims: Record<string, unknown>) => issuer.sign({ org: 'default', scope: 'skills:own', ...claims })
const statusOf = async (claims: Record<string, unknown>, path = '/mcp') =>
  (await ask('tools/list', {}, { key: await token(claims), path })).status

/** What headers repeat is compared with them. */
const REPEATS = { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }

const file = (at: number) => ({ path: `file-${at}.md`, size: 1, sha256: 'b'.repeat(64), executable: false })

describe('metadata of the resource', () => {
  test.each(['', '/mcp', '/t/default/mcp'])('name it as clients reach it, and who issues tokens: %s', async (path) => {
    const { status, body } = await send(server.url, '', { method: 'GET', path: `${METADATA}${path}` })
    expect(status).toBe(200)
    expect(body).toEqual({
      resource: `${PUBLIC}${path}`,
      authorization_servers: [issuer.url],
      bearer_methods_supported: ['header'],
      scopes_supported: ['skills:use', 'skills:look', 'skills:own'],
      resource_name: 'Skillet',
    })
  })

  test('are where the refusal says that they are', async () => {
    const { status, headers, body } = await ask('tools/list', {}, {})
    expect([status, body.error?.data?.['code']]).toEqual([401, 'unauthenticated'])
    expect(headers['www-authenticate']).toBe(
      `Bearer realm="skillet", resource_metadata="${PUBLIC}${METADATA}/mcp", scope="skills:use"`,
    )
  })
})

describe('tokens', () => {
  test('are taken that are meant for this server or its endpoint', async () => {
    for (const aud of [issuer.audience, PUBLIC, `${PUBLIC}/mcp`, `${PUBLIC}/t/default/mcp`, ['x', `${PUBLIC}/mcp`]]) {
      expect(await statusOf({ aud }), String(aud)).toBe(200)
    }
  })

  test('are refused that are meant for others', async () => {
    for (const aud of [
      'https://other.example.com/mcp',
      `${PUBLIC}.evil.example/mcp`,
      `${PUBLIC}/t/other/mcp`,
      `${PUBLIC}/api`,
      `${PUBLIC}/mcp/../x`,
      'skillet',
      [],
      null,
    ]) {
      expect(await statusOf({ aud }), String(aud)).toBe(401)
    }
  })

  test('have the role that their scopes give; what that may not is told with all that it takes', async () => {
    const key = await token({ aud: PUBLIC, scope: 'openid skills:look email' })
    expect(await toolsOf(key)).toEqual([])
    const { status, headers, body } = await ask('tools/call', { name: 'adder', arguments: { a: 1 } }, { key })
    expect([status, body.error?.data?.['code']]).toEqual([403, 'forbidden'])
    expect(headers['www-authenticate']).toMatch(
      /^Bearer realm="skillet", error="insufficient_scope", error_description="[^"]+", resource_metadata="[^"]+", scope="skills:use"$/,
    )
  })
})

describe('tenants and roles', () => {
  test('a tenant is spoken to by its name, and by no other key', async () => {
    const { body } = await ask('tools/list', {}, { key: server.key, path: '/t/default/mcp' })
    expect(body.result?.['tools']).toHaveLength(1)
    const stranger = await server.strangerKey()
    expect(await toolsOf(stranger)).toEqual([])
    for (const [key, path] of [
      [stranger, '/t/default/mcp'],
      [server.key, '/t/nobody/mcp'],
      [server.key, '/t/__proto__/mcp'],
    ] as const) {
      const answer = await ask('tools/list', {}, { key, path })
      expect([answer.status, answer.body.error?.data?.['code']]).toEqual([404, 'not_found'])
    }
  })

  test('another tenant calls and reads nothing of it', async () => {
    const key = await server.strangerKey()
    const call = await ask('tools/call', { name: 'adder', arguments: { a: 1 } }, { key })
    expect(call.body.error).toMatchObject({ code: -32_602, message: 'There is no tool named "adder".' })
    const read = await ask('resources/read', { uri: 'skill://default/adder/SKILL.md' }, { key })
    expect(read.body.error).toMatchObject({ code: -32_602 })
  })

  test('an agent has the tools that a grant names; the others are not there, and the refusal is audited', async () => {
    const { key, id } = await newKey('agent')
    expect(await toolsOf(key)).toEqual([])
    const { body } = await ask('tools/call', { name: 'adder', arguments: { a: 1 } }, { key })
    expect(body.error).toMatchObject({ code: -32_602, message: 'There is no tool named "adder".' })
    const denials = await server.call<{ items: { action: string; by: string }[] }>('GET', '/api/audit?limit=5')
    expect(JSON.stringify(denials.body.items)).toContain('runs.invoke')
    await server.call('POST', '/api/grants', { principal: id, allowed_skills: ['adder'] })
    expect(await toolsOf(key)).toEqual(['adder'])
  })

  test.each<[string, object, object]>([
    ['with a hyphen', {}, {}],
    ['with an underscore', {}, {}],
    ['with an idempotency key that is none', { _meta: { 'dev.skillet/idempotency-key': 5 } }, {}],
    ['with more arguments than headers are compared with', {}, { a: 'x'.repeat(LIMITS.rpcChars) }],
  ])('a tool that is not granted and one that there is not are told apart by nothing: %s', async (how, more, given) => {
    const { key } = await newKey('agent')
    await server.deploy('add-more', 'prod', packageOf('add-more', { input_schema: REPEATS }))
    const answerTo = async (name: string): Promise<string> => {
      const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: given, ...more } }
      const { status, body } = await send(server.url, message, { key })
      return JSON.stringify([status, body]).replaceAll(name, 'NAME')
    }
    const names = ['add-more', 'add-less'].map((name) => (how.includes('underscore') ? name.replace('-', '_') : name))
    const [hidden, missing] = await Promise.all(names.map(answerTo))
    expect(hidden).toBe(missing)
    expect(hidden).toContain('-32602')
  })

  test('skills that come with the server are found under the name of who provides them, and are no tools', async () => {
    await server.deploy('guide', 'prod', guideOf('guide'))
    const key = await server.strangerKey()
    const uri = 'skill://default/guide/SKILL.md'
    const listed = async () => (await ask('skills/list', {}, { key })).body.result!['skills'] as { uri: string }[]
    expect(await listed()).toEqual([])
    const provide = (audience: string) =>
      server.call('PATCH', '/api/tenants/default', { audience }, { key: server.operatorKey })
    expect((await provide('server')).status).toBe(200)
    expect((await listed()).map((one) => one.uri)).toEqual([uri])
    expect((await ask('skills/get', { uri }, { key })).body.result).toMatchObject({ skill: { uri } })
    expect(await toolsOf(key)).toEqual([])
    await provide('tenant')
    expect((await ask('skills/get', { uri }, { key })).body.error?.code).toBe(-32_602)
  })

  test('a skill that no client is sure to take is left out, and says why when it is asked for', async () => {
    const { files, ...rest } = guideOf('many', 'many')
    await server.deploy('many', 'prod', {
      ...rest,
      files: [...files, ...Array.from({ length: 512 }, (_, at) => file(at))],
    })
    const listed = (await ask('skills/list', {}, { key: server.key })).body.result!['skills'] as { uri: string }[]
    expect(listed.map(({ uri }) => uri)).not.toContain('skill://default/many/SKILL.md')
    const resources = await ask('resources/list', {}, { key: server.key })
    expect(JSON.stringify(resources.body)).not.toContain('default/many')
    const { body } = await ask('skills/get', { uri: 'skill://default/many/SKILL.md' }, { key: server.key })
    expect(body.error).toMatchObject({
      code: -32_602,
      message: 'Skill "many" is not served over MCP: it has 513 files; at most 512 are served.',
    })
  })

  test.each<[string, () => Promise<string | null> | string | null, number]>([
    ['nobody', () => null, 401],
    ['an unknown key', () => `sk_${'x'.repeat(43)}`, 401],
    ['a viewer', async () => (await newKey('viewer')).key, 200],
    ['a developer', async () => (await newKey('developer')).key, 200],
    ['an agent', async () => (await newKey('agent')).key, 200],
    ['an operator', () => server.operatorKey, 403],
  ])('by the name of the tenant, too, %s gets what is theirs', async (_who, keyOf, status) => {
    const answer = await ask('skills/list', {}, { key: await keyOf(), path: '/t/default/mcp' })
    expect(answer.status).toBe(status)
    if (status === 401) expect(answer.headers['www-authenticate']).toContain(`${METADATA}/t/default/mcp`)
  })

  test('an operator has no business here', async () => {
    const { status, headers } = await ask('tools/list', {}, { key: server.operatorKey })
    expect(status).toBe(403)
    expect(headers['www-authenticate']).toContain('error="insufficient_scope"')
  })
})
