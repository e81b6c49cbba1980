import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Claim } from '../backends/run-ports.ts'
import type { Run } from '../model/runs.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, take } from './fixtures/played-worker.ts'
import { rawConnection } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

const INVOKE = '/api/skills/adder/stages/dev/invoke'
const LARGE = { a: 1, more: 'x'.repeat(600_000) }

let server: TestServer
let stranger: string
beforeAll(async () => {
  // For one such body and a half of each tenant, and for two of all.
  server = await startTestServer({ payloads: { perParty: 1_000_000, all: 1_500_000 } })
  await server.deploy('adder', 'dev', packageOf('adder'))
  stranger = await server.strangerKey()
})
afterAll(() => server.close())

const invoke = (input: object, headers: Record<string, string> = {}, key = server.key) =>
  server.call<Run & { run_id: string; code: string }>('POST', INVOKE, { input }, { headers, key })

/** A request that takes room and whose body does not come to its end. */
async function occupied(path: string, head: string, chunk = '', key = server.key): Promise<Socket> {
  for (;;) {
    const socket = await rawConnection(server.url)
    let answered = false
    socket.on('error', () => {}).on('data', () => (answered = true))
    const { host } = new URL(server.url)
    const type = 'Content-Type: application/json\r\nAccept: application/json, text/event-stream'
    const lines = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${key}`, type, head]
    socket.write(`${lines.join('\r\n')}\r\n\r\n${chunk}`)
    // It has come in by then; if not, it may find the room taken by what is asked here.
    for (let i = 0; i < 10; i++) await server.call('GET', '/healthz')
    if ((await invoke(LARGE, {}, key)).status === 429 && !answered) return socket
    socket.destroy()
  }
}

test.each([
  ['that is announced', INVOKE, 'Content-Length: 600000', ''],
  ['in chunks', INVOKE, 'Transfer-Encoding: chunked', `20000\r\n${'x'.repeat(0x20000)}\r\n`],
  ['of MCP', '/mcp', 'Content-Length: 600000', ''],
])('a large body %s takes room of its tenant until it is gone', async (_, path, head, chunk) => {
  const slow = await occupied(path, head, chunk)
  const refused = await invoke(LARGE)
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
  expect(refused.headers.get('retry-after')).toBe('1')
  // Small ones need none, and others have their own: this one has no such skill.
  expect((await invoke({ a: 1 })).status).toBe(202)
  expect((await invoke({ more: 'x'.repeat(100_000) }, {}, stranger)).status).toBe(404)
  slow.destroy()
  await expect.poll(async () => (await invoke(LARGE)).status).toBe(202)
})

test('a body that comes in many pieces is taken, and gives back all that it took', async () => {
  const roomy = await startTestServer()
  try {
    await roomy.deploy('adder', 'dev', packageOf('adder'))
    const raw = JSON.stringify({ input: { a: 1, more: 'x'.repeat(6_000_000) } })
    // Fifteen of them have room at once.
    for (let i = 0; i < 20; i++) {
      const { status } = await fetch(roomy.url + INVOKE, {
        method: 'POST',
        headers: { authorization: `Bearer ${roomy.key}`, 'content-type': 'application/json' },
        body: new Blob([raw]).stream(),
        duplex: 'half',
      })
      expect(status).toBe(202)
    }
  } finally {
    await roomy.close()
  }
})

test('all tenants together have so much room and no more', async () => {
  const slow = [
    await occupied(INVOKE, 'Content-Length: 800000'),
    await occupied('/mcp', 'Content-Length: 600000', '', stranger),
  ]
  const another = await server.strangerKey()
  const ask = async (size: number) => (await invoke({ more: 'x'.repeat(size) }, {}, another)).status
  expect(await ask(200_000)).toBe(429)
  expect(await ask(60_000)).toBe(404)
  for (const socket of slow) socket.destroy()
  await expect.poll(() => ask(200_000)).toBe(404)
})

test('an answer takes room until it is read; a run whose result has none is answered with where it is', async () => {
  // As large as they come: kernels take much of it for those who do not read; the rest is held here.
  const { body } = await invoke({ a: 1, more: 'x'.repeat(6_000_000) })
  const claim = await take(server.engine, body.run_id)
  await finish(server.engine, claim, { output: JSON.stringify('y'.repeat(6_000_000)) })
  const show = async () => (await server.call<Run>('GET', `/api/runs/${body.run_id}`)).status
  expect(await show()).toBe(200)
  const idle: Socket[] = []
  try {
    do {
      const socket = (await rawConnection(server.url)).on('error', () => {})
      idle.push(socket)
      socket.write(`GET /api/runs/${body.run_id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\n\r\n`)
      // The answer has begun, and nobody goes on reading it.
      await once(socket, 'readable')
    } while ((await show()) !== 429)
    const waiting = invoke({ a: 2 }, { prefer: 'wait=60' })
    const next = await nextOf()
    await finish(server.engine, next, { output: JSON.stringify('z'.repeat(900_000)) })
    const late = await waiting
    expect(late).toMatchObject({ status: 202, body: { run_id: next.run.id, status: 'succeeded' } })
    expect(late.headers.get('location')).toBe(`/api/runs/${next.run.id}`)
  } finally {
    for (const socket of idle) socket.destroy()
  }
  await expect.poll(show).toBe(200)
})

async function nextOf(): Promise<Claim> {
  for (;;) {
    const [claim] = await server.engine.runs.take('default', 1, 60_000)
    if (claim?.run.input !== undefined && (claim.run.input as { a: number }).a === 2) return claim
    await server.call('GET', '/healthz')
  }
}
