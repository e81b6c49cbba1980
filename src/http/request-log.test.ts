import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageOf } from './fixtures/packages.ts'
import { rawConnection, sendRaw } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'
import type { RequestLogEntry } from './request-log.ts'

let server: TestServer
const log: RequestLogEntry[] = []
let told = Promise.withResolvers<void>()

function requestLog(entry: RequestLogEntry): void {
  log.push(entry)
  told.resolve()
  told = Promise.withResolvers()
}

beforeAll(async () => {
  server = await startTestServer({ requestLog, trustProxies: ['127.0.0.1'] })
  await server.deploy('mine', 'dev', packageOf('mine'))
  await server.deploy('waiter', 'dev', packageOf('waiter'))
})
afterAll(() => server.close())

/** A request is told of when its connection knows that all is sent, which may be after the client has it. */
async function entryWhere(fits: (entry: RequestLogEntry) => boolean): Promise<RequestLogEntry> {
  for (;;) {
    const found = log.find(fits)
    if (found !== undefined) return found
    await told.promise
  }
}
const entryOf = (headers: Headers) => entryWhere(({ request_id }) => request_id === headers.get('x-request-id'))

test('a request is told of by its pattern, with who sent it from where', async () => {
  const { body } = await server.call<{ key: string; tenant: string }>('GET', '/api/whoami')
  const answer = await server.call('GET', '/api/skills/mine?x=1', undefined, {
    headers: { 'x-forwarded-for': '203.0.113.7' },
  })
  const entry = await entryOf(answer.headers)
  expect(entry).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    request_id: answer.headers.get('x-request-id'),
    method: 'GET',
    route: '/api/skills/{skill}',
    status: 200,
    ms: expect.any(Number) as number,
    bytes: expect.any(Number) as number,
    principal: body.key,
    tenant: body.tenant,
    client: '203.0.113.7',
  })
  expect(entry.bytes).toBeGreaterThan(JSON.stringify(answer.body).length)
  expect(entry.bytes).toBeLessThan(2000)
})

test('refusals are told of too, with what is known of them', async () => {
  const refused = async (path: string, key?: string | null) => {
    const answer = await server.call('GET', path, undefined, key === undefined ? {} : { key })
    const { method, route, status, principal } = await entryOf(answer.headers)
    return [method, route, status, principal !== null]
  }
  expect(await refused('/api/skills', null)).toEqual(['GET', '/api/skills', 401, false])
  expect(await refused('/api/tenants')).toEqual(['GET', '/api/tenants', 403, true])
  expect(await refused('/api/skills/nowhere')).toEqual(['GET', '/api/skills/{skill}', 404, true])
  expect(await refused('/nothing')).toEqual(['GET', null, 404, false])

  const unreadable = await sendRaw(server.url, 'no request\n\n')
  const id = unreadable.headers['x-request-id']
  expect(await entryWhere((entry) => entry.request_id === id)).toMatchObject({ method: null, route: null, status: 400 })
  const strange = await sendRaw(server.url, 'GET /a/../b HTTP/1.1\nHost: x\n\n')
  const other = strange.headers['x-request-id']
  expect(await entryWhere((entry) => entry.request_id === other)).toMatchObject({
    method: 'GET',
    route: null,
    status: 404,
    client: '127.0.0.1',
  })
})

test('nothing that was sent is in the log', async () => {
  const canary = 'canary-7411'
  const headers = { 'x-canary': canary, cookie: canary, 'user-agent': canary, referer: canary }
  const invoke = '/api/skills/mine/stages/dev/invoke'
  const answers = [
    await server.call('POST', invoke, { input: { a: canary } }, { headers: { ...headers, 'idempotency-key': canary } }),
    await server.call('GET', `/api/skills?cursor=${canary}&${canary}=1`, undefined, { headers }),
    await server.call('GET', `/api/skills/${canary}`, undefined, { headers }),
    await server.call('GET', `/${canary}`, undefined, { headers, key: canary }),
    await server.call('POST', '/api/secrets', { name: 'CANARY', value: canary }, { headers }),
  ]
  for (const answer of answers) await entryOf(answer.headers)
  const all = JSON.stringify(log)
  expect(all).not.toContain(canary)
  expect(all).not.toContain(server.key.slice(0, 12))
})

test('an event stream is told of when it ends, and a client that went without an answer has none', async () => {
  const invoke = '/api/skills/waiter/stages/dev/invoke'
  const { body } = await server.call<{ run_id: string }>('POST', invoke, { input: { a: 1 } })
  const leaving = new AbortController()
  const stream = await fetch(`${server.url}/api/runs/${body.run_id}/events`, {
    headers: { authorization: `Bearer ${server.key}` },
    signal: leaving.signal,
  })
  const reader = stream.body!.getReader()
  await reader.read()
  const route = '/api/runs/{run}/events'
  expect(log.some((entry) => entry.route === route)).toBe(false)
  leaving.abort()
  await expect(reader.read()).rejects.toThrow()
  expect(await entryOf(stream.headers)).toMatchObject({ route, status: 200 })

  const socket = await rawConnection(server.url)
  socket.write(
    `POST ${invoke} HTTP/1.1\r\nHost: x\r\nPrefer: wait=60\r\nAuthorization: Bearer ${server.key}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 19\r\n\r\n{"input":{"a":123}}',
  )
  const runs = async () => (await server.call<{ items: unknown[] }>('GET', '/api/runs?skill=waiter')).body.items.length
  while ((await runs()) < 2);
  socket.destroy()
  if (!socket.closed) await once(socket, 'close')
  expect(await entryWhere((entry) => entry.status === null)).toMatchObject({
    method: 'POST',
    route: '/api/skills/{skill}/stages/{stage}/invoke',
    bytes: 0,
  })
})

test('what a key did is known by the address behind the proxy, as far as that is trusted', async () => {
  const address = new URL(server.url)
  const socket = connect({ port: Number(address.port), host: '127.0.0.1', localAddress: '127.0.0.2' })
  await once(socket, 'connect')
  socket.write('GET /api/whoami HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.8\r\n\r\n')
  // It is no proxy of ours, so what it says of others is not believed.
  expect((await entryWhere(({ client }) => client === '127.0.0.2')).status).toBe(401)
  socket.destroy()
})
