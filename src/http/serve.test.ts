import { request } from 'node:http'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'
import type { Env } from './mount.ts'
import { serve } from './serve.ts'

async function withRun(use: (server: TestServer, run: string) => Promise<void>): Promise<void> {
  const server = await startTestServer()
  try {
    await server.deploy('waiter', 'dev', packageOf('waiter'))
    const invoke = '/api/skills/waiter/stages/dev/invoke'
    const { body } = await server.call<{ run_id: string }>('POST', invoke, { input: { a: 1 } })
    await use(server, body.run_id)
    expect(server.faults).toEqual([])
  } finally {
    await server.close()
  }
}

test('closing ends event streams in good order and answers those who wait', () =>
  withRun(async (server, run) => {
    const headers = { authorization: `Bearer ${server.key}` }
    const stream = await fetch(`${server.url}/api/runs/${run}/events`, { headers })
    const reader = stream.body!.getReader()
    await reader.read()
    const waiting = server.call<{ status: string }>(
      'POST',
      '/api/skills/waiter/stages/dev/invoke',
      { input: { a: 2 } },
      { headers: { prefer: 'wait=60' } },
    )
    // The run of the waiting caller is there: so the wait has begun, or begins under a signal that is aborted already.
    while ((await server.call<{ items: unknown[] }>('GET', '/api/runs')).body.items.length < 2);
    const closed = server.closeHttp()
    while (!(await reader.read()).done);
    expect(await waiting).toMatchObject({ status: 202, body: { status: 'queued' } })
    await closed
    await server.closeHttp()
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  }))

test('a stopping server begins nothing new on connections that stay open', () =>
  withRun(async (server) => {
    server.stopping.abort()
    const answer = await server.call<{ code: string }>('GET', '/api/skills')
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    expect((await server.call('GET', '/readyz')).status).toBe(503)
  }))

test('a client that sends its request never so slowly does not hold up the closing', () =>
  withRun(async (server) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.resume()
    socket.write('POST /api/skills HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
    await server.call('GET', '/healthz')
    await server.closeHttp()
    if (!socket.destroyed) await once(socket, 'close')
  }))

test('a client that connected and says nothing does not hold up the closing', async () => {
  const listening = await serve(new Hono<Env>(), { port: 0, graceMs: 3_600_000 })
  expect((await fetch(`${listening.url}/healthz`)).status).toBe(404)
  const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
  await once(socket, 'connect')
  // Only when it was answered did the server surely see the connection that came before.
  expect((await fetch(`${listening.url}/healthz`)).status).toBe(404)
  socket.resume()
  await listening.close()
  if (!socket.destroyed) await once(socket, 'close')
})

test('a port that is taken is an error of the caller', () =>
  withRun(async (server) => {
    await expect(serve(new Hono<Env>(), { port: Number(new URL(server.url).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  }))

test('requests on many connections at once get their own answers', () =>
  withRun(async (server) => {
    const get = (path: string) => {
      const call = request(`${server.url}${path}`, { agent: false })
      call.end()
      return once(call, 'response') as Promise<[import('node:http').IncomingMessage]>
    }
    const answers = await Promise.all(['/healthz', '/nothing', '/readyz'].map((path) => get(path)))
    for (const [answer] of answers) answer.resume()
    expect(answers.map(([answer]) => answer.statusCode)).toEqual([200, 404, 200])
  }))
