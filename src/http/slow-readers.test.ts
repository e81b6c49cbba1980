import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createParser } from 'eventsource-parser'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Claim } from '../backends/run-ports.ts'
import { readEvents } from './fixtures/event-reader.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, line, take } from './fixtures/played-worker.ts'
import { rawConnection } from './fixtures/raw-client.ts'
import type { RequestLogEntry } from './request-log.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
let ended: RequestLogEntry[]
beforeEach(async () => {
  ended = []
  server = await startTestServer({
    slowMs: 2000,
    heartbeatMs: 50,
    requestLog: (entry) => entry.route?.endsWith('/events') === true && ended.push(entry),
  })
  await server.deploy('adder', 'dev', packageOf('adder'))
})
afterEach(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

async function begin(): Promise<Claim> {
  const path = '/api/skills/adder/stages/dev/invoke'
  const { body } = await server.call<{ run_id: string }>('POST', path, { input: { a: 1 } })
  return take(server.engine, body.run_id)
}

/** A reader on a socket of its own, which can stop reading. */
async function open(path: string): Promise<Socket> {
  const socket = await rawConnection(server.url)
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\n\r\n`)
  await once(socket, 'readable')
  return socket
}

const BIG = line('größer ✓ '.repeat(40_000))

test('who stops reading is hung up on; nothing is kept for it, and it goes on where it was', async () => {
  const claim = await begin()
  const socket = await open(`/api/runs/${claim.run.id}/events`)
  // More than the kernel holds for a connection.
  for (let i = 0; i < 120; i++) await server.engine.runs.appendLogs(claim.run.id, claim.token, [BIG])
  await finish(server.engine, claim)
  while (ended.length === 0) await server.call('GET', '/healthz')
  expect(ended[0]).toMatchObject({ status: 200, route: '/api/runs/{run}/events' })
  // What the kernel took, and no more: there were 60 MB to send.
  expect(ended[0]!.bytes).toBeLessThan(30 * 2 ** 20)

  // What arrived before.
  const seen: string[] = []
  const parser = createParser({ onEvent: ({ id }) => seen.push(id!) })
  const rest = socket.setEncoding('utf8')
  try {
    for await (const chunk of rest) parser.feed(withoutSizes(String(chunk)))
  } catch {
    // It was cut off.
  }
  const last = seen.at(-1) ?? '0'
  const again = await readEvents(`${server.url}/api/runs/${claim.run.id}/events`, server.key, { 'last-event-id': last })
  await again.until(() => false)
  seen.push(...again.events.map(({ id }) => id!))
  expect(seen).toEqual(Array.from({ length: 123 }, (_, i) => String(i + 1)))
})

test('who has nothing to read, or reads all of it, is left alone', async () => {
  const claim = await begin()
  const quiet = await readEvents(`${server.url}/api/events`, server.key)
  const busy = await readEvents(`${server.url}/api/runs/${claim.run.id}/events`, server.key)
  // Longer than a reader may stand still.
  await quiet.until(() => quiet.comments.length === 45)
  const all = busy.until(() => false)
  for (let i = 0; i < 40; i++) await server.engine.runs.appendLogs(claim.run.id, claim.token, [BIG])
  await finish(server.engine, claim)
  await all
  expect(busy.events.map(({ id }) => Number(id))).toEqual(Array.from({ length: 43 }, (_, i) => i + 1))
  expect(busy.events[10]!.data).toContain(BIG.text)
  expect(await quiet.until(() => quiet.events.at(-1)?.event === 'run.result')).toBe(true)
  quiet.leave()
})

/** The stream without the lines that tell the sizes of chunks; no event has such a line. */
const withoutSizes = (text: string): string => text.replaceAll(/\r\n[0-9a-f]+\r\n|\r\n/g, '')
