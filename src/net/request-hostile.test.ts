import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { post, raw } from './fixtures/post.ts'
import { RequestFailed } from './request-failed.ts'

test('a body without end is read to the limit, and its sender hung up on', async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>()
  let sent = 0
  await using server = await raw((socket) => {
    const chunk = Buffer.alloc(16_384, 'x')
    const more = (): void => {
      for (let room = true; room && !socket.destroyed; sent += chunk.length) room = socket.write(chunk)
    }
    socket.on('drain', more).on('close', () => resolve())
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    more()
  })
  expect(await post(server, { maxBytes: 100_000 })).toMatchObject({ status: 200, body: 'x'.repeat(1024) })
  await hungUp
  expect(sent).toBeLessThan(50_000_000)
})

test('a body that trickles ends with the time; the status that came before counts', async () => {
  await using server = await raw((socket) => {
    socket.write('HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n')
    const timer = setInterval(() => socket.write('x'), 20)
    socket.once('close', () => clearInterval(timer))
  })
  const answer = await post(server, { timeoutMs: 3000 })
  expect(answer.status).toBe(202)
  expect(answer.body).toMatch(/^x*$/)
})

test('a body that breaks off is an answer, too', async () => {
  await using server = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this'))
  expect(await post(server)).toMatchObject({ status: 200, body: 'only this' })
})

test('an answer that comes before all was sent counts', async () => {
  await using server = await raw((socket) => {
    socket.pause()
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', () =>
      socket.resetAndDestroy(),
    )
  })
  // A reset may overtake the answer: then it is a failure like others, and never one of ours.
  const outcome = await post(server, { body: 'x'.repeat(20_000_000) }).catch((error: unknown) => error)
  if (outcome instanceof Error) expect(outcome).toBeInstanceOf(RequestFailed)
  else expect(outcome).toMatchObject({ status: 413 })
})

test.each<[what: string, speak: (socket: Socket) => void, said: RegExp]>([
  ['resets the connection', (socket) => socket.resetAndDestroy(), /closed before an answer came \(ECONNRESET\)/],
  ['closes without a word', (socket) => socket.end(), /closed before an answer came \(ECONNRESET\)/],
  ['breaks off in the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nA: b'), /\(ECONNRESET\)|no HTTP/],
  ['speaks something else', (socket) => socket.end('220 mail.example.com ESMTP\r\n'), /is no HTTP/],
  [
    'sends one huge header',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`),
    /headers of the answer are too large/,
  ],
  [
    'sends headers without end',
    (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}`),
    /headers of the answer are too large/,
  ],
  [
    'smuggles a length',
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
    /is no HTTP/,
  ],
])('who %s has not answered', async (_what, speak, said) => {
  await using server = await raw(speak)
  const failure = await post(server).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(RequestFailed)
  expect((failure as Error).message).toMatch(said)
  expect((failure as Error).message).not.toContain('127.0.0.1')
})

test.each<[what: string, speak: (socket: Socket) => void]>([
  ['says nothing', () => {}],
  [
    'trickles its headers',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('A: b\r\n'), 20)
      socket.once('close', () => clearInterval(timer))
    },
  ],
  [
    'only promises',
    (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20)
      socket.once('close', () => clearInterval(timer))
    },
  ],
])('who %s is waited for no longer than the time', async (_what, speak) => {
  await using server = await raw(speak)
  await expect(post(server, { timeoutMs: 300 })).rejects.toThrow(new RequestFailed('There was no answer in 300 ms.'))
})

test('switching protocols is an answer and no connection that stays', async () => {
  await using server = await raw((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  )
  expect(await post(server)).toEqual({ status: 101, retryAfter: null, body: '' })
})
