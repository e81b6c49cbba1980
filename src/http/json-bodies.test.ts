import { afterAll, beforeAll, expect, test } from 'vitest'
import { LIMITS } from '../model/sizes.ts'
import { packageOf } from './fixtures/packages.ts'
import { expectProblem, sendRaw } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Problem {
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

const JSON_TYPE = { 'content-type': 'application/json' }
const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE, path = '/api/skills') =>
  server.call<Problem>('POST', path, undefined, { raw: body, headers })

test.each([
  'text/json',
  'application/jsonx',
  'application/vnd.api+json',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json, text/plain',
  'multipart/form-data; boundary=x',
  'application/json ; charset="utf-16"',
])('%s is not taken for JSON', async (type) => {
  const { status, body } = await post('{"name":"typed"}', { 'content-type': type })
  expect([status, body.code]).toEqual([415, 'unsupported_media_type'])
})

test('JSON in UTF-8 is taken however it is announced, and only as it is', async () => {
  const types = [
    'application/json',
    'Application/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ]
  for (const [i, type] of types.entries()) {
    expect((await post(`{"name":"taken-${i}"}`, { 'content-type': type })).status).toBe(201)
  }
  const packed = await post('x', { ...JSON_TYPE, 'content-encoding': 'gzip' })
  expect([packed.status, packed.body.code]).toEqual([415, 'unsupported_media_type'])
  const nameless = await sendRaw(
    server.url,
    `POST /api/skills HTTP/1.1\nHost: x\nAuthorization: Bearer ${server.key}\nConnection: close\nContent-Length: 2\n\n{}`,
  )
  expectProblem(nameless, 415, 'unsupported_media_type')
})

test.each([
  ['a lone continuation byte', [0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a sequence that breaks off', [0xe2, 0x82]],
])('%s is not UTF-8', async (_what, bytes) => {
  const body = Buffer.concat([Buffer.from('{"name":"bytes","description":"'), Buffer.from(bytes), Buffer.from('"}')])
  const { status, body: problem } = await post(body)
  expect([status, problem.code]).toEqual([400, 'bad_request'])
})

test('only an invocation may be large', async () => {
  const large = 'x'.repeat(LIMITS.bodyBytes)
  expect((await post(JSON.stringify({ name: large }))).body.code).toBe('body_too_large')
  const invoke = await post(JSON.stringify({ input: { a: large } }), JSON_TYPE, '/api/skills/mine/stages/dev/invoke')
  expect(invoke.body.code).toBe('input_invalid')
})

test('what a body says is in no problem document', async () => {
  for (const text of ['{"name": canary-7411', '{"name": "canary-7411', 'canary-7411', '{"name":"x"} canary-7411']) {
    const { status, body } = await post(text)
    expect([status, body.code]).toEqual([400, 'bad_request'])
    expect(JSON.stringify(body)).not.toMatch(/canary|7411| at .*\.ts/)
  }
})

test('members that are named like parts of objects are members like all others', async () => {
  const polluted = await post('{"name":"polluted","__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}}')
  expect([polluted.status, polluted.body.code]).toEqual([400, 'bad_request'])
  const env = '{"config":{"env":{"__proto__":"a","constructor":"b"}}}'
  await server.call('PUT', '/api/skills/mine/stages/odd', undefined, { raw: env, headers: JSON_TYPE })
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  const input = '{"input":{"__proto__":{"a":1}}}'
  const invoked = await post(input, JSON_TYPE, '/api/skills/mine/stages/dev/invoke')
  expect([invoked.status, invoked.body.code]).toEqual([400, 'input_invalid'])
})

test('of a member that comes twice the last counts, everywhere', async () => {
  const { body } = await server.call<{ name: string }>('POST', '/api/skills', undefined, {
    raw: '{"name":"twice-1","name":"twice-2"}',
    headers: JSON_TYPE,
  })
  expect(body.name).toBe('twice-2')
  expect((await server.call('GET', '/api/skills/twice-1')).status).toBe(404)
})
