import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectProblem, rawConnection, readAnswer } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let strict: TestServer
beforeAll(async () => {
  strict = await startTestServer({ times: { headers: 1000, request: 1500, idle: 3000, check: 50 } })
})
afterAll(() => strict.close())

test('headers that drip in, and a body that does, are given up on', async () => {
  for (const start of [
    'GET /healthz HTTP/1.1\r\nHost: x\r\n',
    'POST /api/skills HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n' +
      `Authorization: Bearer ${strict.key}\r\n\r\n{`,
  ]) {
    const socket = await rawConnection(strict.url)
    socket.write(start)
    const drip = setInterval(() => socket.write('x'), 20)
    socket.on('error', () => {})
    try {
      expectProblem(await readAnswer(socket), 408, 'request_timeout')
    } finally {
      clearInterval(drip)
    }
  }
})

test('a connection on which nothing comes is closed', async () => {
  const socket = await rawConnection(strict.url)
  socket.resume()
  await once(socket, 'close')
})

test('the others are served meanwhile', async () => {
  const slow = await Promise.all(Array.from({ length: 50 }, () => rawConnection(strict.url)))
  for (const socket of slow) socket.on('error', () => {}).write('GET / HT')
  expect((await strict.call('GET', '/healthz')).status).toBe(200)
  for (const socket of slow) socket.destroy()
})
