import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../model/sizes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type RawAnswer, expectProblem, sendRaw } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Problem {
  code: string
  detail: string
  errors: unknown[]
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

const raw = (text: string): Promise<RawAnswer> => sendRaw(server.url, text)
const get = (target: string, more = ''): Promise<RawAnswer> =>
  raw(`GET ${target} HTTP/1.1\nHost: localhost\nAuthorization: Bearer ${server.key}\nConnection: close\n${more}\n`)

describe('what is no request', () => {
  test.each([
    ['words', 'hello there\n\n'],
    ['a method that nobody has heard of', 'FROB / HTTP/1.1\nHost: x\n\n'],
    ['a header without a name', 'GET /healthz HTTP/1.1\nHost: x\n: y\n\n'],
    ['a folded header', 'GET /healthz HTTP/1.1\nHost: x\nA: b\n c\n\n'],
    ['a space before the colon', 'GET /healthz HTTP/1.1\nHost: x\nA : b\n\n'],
    ['two lengths', 'POST /api/skills HTTP/1.1\nHost: x\nContent-Length: 1\nContent-Length: 2\n\nab'],
    [
      'a length and chunks',
      'POST /api/skills HTTP/1.1\nHost: x\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n',
    ],
    ['no length that is a number', 'POST /api/skills HTTP/1.1\nHost: x\nContent-Length: -1\n\n'],
    ['a NUL in the path', 'GET /heal\0thz HTTP/1.1\nHost: x\n\n'],
    ['no Host', 'GET /healthz HTTP/1.1\nConnection: close\n\n'],
    ['two Hosts', 'GET /healthz HTTP/1.1\nHost: x\nHost: y\n\n'],
    ['a Host that is none', 'GET /healthz HTTP/1.1\nHost: x/../y\n\n'],
    ['a Host with a user', 'GET /healthz HTTP/1.1\nHost: me:you@x\n\n'],
    ['a number as Host that means another', 'GET /%68ealthz HTTP/1.1\nHost: 0x7f.1\n\n'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\nHost: x\n\n'],
  ])('%s is refused with a problem document', async (_what, text) => {
    expectProblem(await raw(text), 400, 'bad_request')
  })

  test('too long a URL, too many and too large headers', async () => {
    expectProblem(await get(`/healthz?${'x'.repeat(LIMITS.urlBytes)}`), 414, 'url_too_long')
    expectProblem(await get('/healthz', 'A: b\n'.repeat(LIMITS.headerFields)), 431, 'headers_too_large')
    expectProblem(await get('/healthz', `A: ${'x'.repeat(LIMITS.headerBytes)}\n`), 431, 'headers_too_large')
    expect((await get('/healthz', `A: ${'x'.repeat(LIMITS.headerBytes / 2)}\n`)).status).toBe(200)
  })

  test('chunk extensions do not grow for ever', async () => {
    const head = 'POST /api/skills HTTP/1.1\nHost: x\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n'
    expectProblem(await raw(`${head}1;${'x'.repeat(40_000)}\na\n0\n\n`), 413, 'body_too_large')
  })

  test('what a proxy may send and old clients do is served', async () => {
    expect((await raw('GET /healthz HTTP/1.0\n\n')).status).toBe(200)
    expect((await raw(`GET ${server.url}/healthz HTTP/1.1\nHost: x\nConnection: close\n\n`)).status).toBe(200)
    expect((await get('/healthz', 'Expect: the-unexpected\n')).status).toBe(200)
    expect((await get('/healthz', 'Upgrade: h2c\n')).status).toBe(200)
  })
})

describe('paths', () => {
  test.each([
    '/api/skills/../skills/mine',
    '/x/%2e%2e/healthz',
    '/./healthz',
    '/healthz/.',
    '\\healthz',
    '/api\\skills',
    '//healthz',
    '/healthz/',
    '/HEALTHZ',
    '/%c0%afhealthz',
    '/api/skills/%2e%2e',
    '/api/skills/mine%2Fstages',
    '/api/skills/mine%00',
    '/api/skills/mine%0a',
    '/api/skills/%c0%ae%c0%ae',
    '/api/skills/%',
    '/api/skills/%zz',
    '/api/skills/%u002e',
    '/api/skills/mine;x=1',
    '/api/skills/mine<',
  ])('%s leads nowhere', async (path) => {
    const { status } = await get(path)
    expect([400, 404]).toContain(status)
  })

  test('a key where an id belongs is not repeated', async () => {
    const { status, body } = await server.call<Problem>('GET', `/api/keys/${server.key}`)
    expect([status, body.code]).toEqual([404, 'not_found'])
    expect(body.detail).toContain(server.key.slice(0, 11))
    expect(JSON.stringify(body)).not.toContain(server.key)
  })

  test('an encoded letter is that letter', async () => {
    expect((await get('/api/skills/m%69ne')).status).toBe(200)
  })
})

describe('methods', () => {
  test('what is not served is refused with what is, and nothing overrides the method', async () => {
    const call = (method: string, headers: Record<string, string> = {}) =>
      server.call<Problem>(method, '/api/skills/mine', undefined, { headers })
    const options = await call('OPTIONS', {
      origin: 'https://elsewhere.example',
      'access-control-request-method': 'GET',
    })
    expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, PATCH, DELETE, HEAD'])
    expect([...options.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    expect((await call('PUT')).status).toBe(405)
    const trace = await raw('TRACE /api/skills/mine HTTP/1.1\nHost: x\nConnection: close\nX-Canary: seen\n\n')
    expectProblem(trace, 405, 'method_not_allowed')
    expect(JSON.stringify(trace)).not.toContain('seen')
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      expect((await call('GET', { [name]: 'DELETE' })).status).toBe(200)
    }
    expect((await server.call('GET', '/api/skills/mine?_method=DELETE')).status).toBe(200)
    expect((await call('GET')).status).toBe(200)
  })

  test('HEAD of an event stream ends at once', async () => {
    const { body } = await server.call<{ run_id: string }>('POST', '/api/skills/mine/stages/dev/invoke', {
      input: { a: 1 },
    })
    const answer = await server.call('HEAD', `/api/runs/${body.run_id}/events`)
    expect([answer.status, answer.body]).toEqual([200, ''])
  })
})

test('answers tell nothing of what serves them, and share nothing with other sites', async () => {
  const headers = { origin: 'https://elsewhere.example' }
  for (const [path, key] of [
    ['/healthz', null],
    ['/api/skills', undefined],
    ['/api/skills', null],
    ['/nothing', null],
    ['/api/skills/mine', 'not a key'],
  ] as const) {
    const answer = await server.call('GET', path, undefined, key === undefined ? { headers } : { headers, key })
    const names = [...answer.headers.keys()]
    expect(names.filter((name) => /^(server|x-powered-by|access-control-.*|set-cookie)$/.test(name))).toEqual([])
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  }
})
