import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../model/sizes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  fix: string
  errors: { pointer: string; message: string }[]
  request_id: string
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('mine', 'dev', packageOf('mine'))
})
afterAll(() => server.close())

const post = (body: string | Uint8Array, headers: Record<string, string>, path = '/api/skills') =>
  server.call<Problem>('POST', path, undefined, { raw: body, headers })
const JSON_TYPE = { 'content-type': 'application/json' }

describe('errors', () => {
  test('are problem documents that name code, remedy and request', async () => {
    const { status, headers, body } = await server.call<Problem>('GET', '/api/skills/nowhere')
    expect(status).toBe(404)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(body).toMatchObject({ type: 'urn:skillet:error:not_found', status: 404, code: 'not_found', errors: [] })
    expect(body.detail).toContain('"nowhere"')
    expect(body.fix).not.toBe('')
    expect(body.request_id).toMatch(/^req_/)
    expect(headers.get('x-request-id')).toBe(body.request_id)
  })

  test('a request id that the caller sends is not taken over', async () => {
    const { headers } = await server.call('GET', '/healthz', undefined, { headers: { 'x-request-id': 'req_mine' } })
    expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/)
  })

  test('paths that are not served are 404, at any depth and with any bytes', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/nothing',
      '/api/skills/',
      '/api/skills/mine/stages/dev/invoke/x',
      '/%00',
      '/%ff',
    ]) {
      const answer = await server.call<Problem>('GET', path)
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found'])
    }
    for (const name of ['%00', '%ff', 'a%2Fb', '..%2f', "'--", 'x'.repeat(300)]) {
      const answer = await server.call<Problem>('GET', `/api/skills/${name}`)
      expect([name, answer.status, answer.body.code]).toEqual([name, 404, 'not_found'])
    }
  })

  test('bodies that are not what they should be', async () => {
    expect((await post('{"name":', JSON_TYPE)).body).toMatchObject({ status: 400, code: 'bad_request' })
    expect((await post('', JSON_TYPE)).body).toMatchObject({ status: 400, code: 'bad_request' })
    expect((await post('[]', JSON_TYPE)).body).toMatchObject({ status: 400, code: 'bad_request' })
    expect((await post('{"name":"x"}', { 'content-type': 'text/plain' })).body.code).toBe('unsupported_media_type')
    expect((await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
    expect((await post('{"name":"ok-1"}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201)
    const unknown = await post('{"name":"x","colour":"red"}', JSON_TYPE)
    expect([unknown.status, JSON.stringify(unknown.body.errors)]).toEqual([400, expect.stringContaining('colour')])
    const deep = `{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect((await post(deep, JSON_TYPE, '/api/skills/mine/stages/dev/invoke')).body.code).toBe('bad_request')
  })

  test('a body that is too large is refused, announced or not', async () => {
    const big = `{"name":"${'x'.repeat(LIMITS.requestBytes)}"}`
    expect((await post(big, JSON_TYPE)).body).toMatchObject({ status: 413, code: 'body_too_large' })
    const headers = { ...JSON_TYPE, authorization: `Bearer ${server.key}`, 'transfer-encoding': 'chunked' }
    const call = request(`${server.url}/api/skills`, { method: 'POST', headers })
    // The server may hang up on what it does not want to read.
    call.on('error', () => {})
    call.end(big)
    const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage]
    expect(JSON.parse(await text(response))).toMatchObject({ status: 413, code: 'body_too_large' })
  })

  test('a fault of ours says nothing of itself and is told to the operator', async () => {
    const before = server.faults.length
    const broken = await startTestServer()
    await broken.engine.close()
    const answer = await broken.call<Problem>('GET', '/api/skills/x')
    expect(answer.body).toMatchObject({ status: 500, code: 'internal', detail: 'The request could not be completed.' })
    expect(broken.faults).toHaveLength(1)
    expect(JSON.stringify(answer.body)).not.toContain((broken.faults[0] as Error).message)
    await broken.close()
    expect(server.faults.length).toBe(before)
  })
})

describe('health', () => {
  test('readiness names what is wrong and what to do', async () => {
    expect((await server.call('GET', '/healthz', undefined, { key: null })).body).toEqual({ ok: true })
    const ready = await server.call('GET', '/readyz', undefined, { key: null })
    expect([ready.status, ready.body]).toMatchObject([200, { ready: true, checks: [{ name: 'state', ok: true }] }])
    const fault = Object.assign(new Error('No sandbox can be made.'), { fix: 'Install bubblewrap.' })
    server.checks.push({
      name: 'isolation',
      check: () => {
        throw fault
      },
    })
    const { status, body } = await server.call('GET', '/readyz', undefined, { key: null })
    server.checks.pop()
    expect(status).toBe(503)
    expect(body).toMatchObject({
      ready: false,
      checks: [
        { name: 'state', ok: true },
        { name: 'isolation', ok: false, message: fault.message, fix: fault.fix },
      ],
    })
  })

  test('every answer forbids caching, sniffing and framing', async () => {
    for (const path of ['/healthz', '/api/whoami', '/nothing', '/openapi.json']) {
      const { headers } = await server.call('GET', path)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    }
  })

  test('HEAD answers like GET, without a body', async () => {
    const answer = await server.call('HEAD', '/healthz')
    expect([answer.status, answer.body]).toEqual([200, ''])
  })
})
