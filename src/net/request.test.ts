import { type RequestListener, createServer } from 'node:http'
import { type Socket, createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { openDnsServer } from './fixtures/dns-server.ts'
import { type Listening, listen } from './fixtures/listen.ts'
import { createAddressPolicy } from './policy.ts'
import { type PinnedAnswer, type PinnedRequest, sendPinned } from './request.ts'
import { RequestFailed } from './request-failed.ts'
import { parseTarget } from './target.ts'

const policy = createAddressPolicy({ networks: ['127.0.0.1'], own: () => null })

function post({ port }: { port: number }, options: Partial<PinnedRequest> = {}, path = '/'): Promise<PinnedAnswer> {
  const target = parseTarget(`http://127.0.0.1:${port}${path}`, policy)
  return sendPinned(target, policy, { method: 'POST', headers: {}, body: '{"a":1}', timeoutMs: 30_000, ...options })
}

const http = (listener: RequestListener): Promise<Listening> => listen(createServer(listener))
/** Says what it likes as soon as it hears something. */
const raw = (speak: (socket: Socket) => void): Promise<Listening> =>
  listen(createTcpServer((socket) => socket.once('data', () => speak(socket))))

test('sends what it is told, to the host and path of the URL, on a connection of its own', async () => {
  const seen: object[] = []
  await using server = await http((request, response) => {
    const { method, url, headers } = request
    request.setEncoding('utf8').once('data', (body: string) => {
      seen.push({ method, url, body, ...headers })
      response.end('thanks')
    })
  })
  const headers = { 'content-type': 'application/json', 'user-agent': 'Test' }
  for (const _ of [1, 2]) {
    const answer = await post(server, { headers, body: '{"ä":1}' }, '/a%20b?c=d')
    expect(answer).toEqual({ status: 200, retryAfter: null, body: 'thanks' })
  }
  const common = { method: 'POST', url: '/a%20b?c=d', body: '{"ä":1}', 'content-length': '8', connection: 'close' }
  const host = `127.0.0.1:${server.port}`
  const all = { ...common, ...headers, host, 'accept-encoding': 'identity' }
  expect(seen).toEqual([all, all])
  expect(server.connections()).toBe(2)
})

test('the Host header of a name is the name', async () => {
  await using server = await http((request, response) => response.end(request.headers.host))
  await using dns = await openDnsServer(() => ['127.0.0.1'])
  const target = parseTarget(`http://Hooks.example.com.:${server.port}/`, policy)
  const answer = await sendPinned(target, policy, {
    method: 'POST',
    headers: {},
    body: '',
    timeoutMs: 30_000,
    servers: [dns.server],
  })
  expect(answer.body).toBe(`hooks.example.com:${server.port}`)
})

test.each([301, 302, 303, 307, 308])('a redirect (%i) is an answer and is not followed', async (status) => {
  await using other = await http((_request, response) => response.end())
  await using server = await http((_request, response) => {
    response.writeHead(status, { location: `http://127.0.0.1:${other.port}/` }).end()
  })
  expect(await post(server)).toMatchObject({ status })
  expect([server.connections(), other.connections()]).toEqual([1, 0])
})

test('Retry-After is told, and the beginning of the body', async () => {
  await using server = await http((_request, response) => {
    response.writeHead(503, { 'retry-after': '120' }).end('x'.repeat(5000))
  })
  expect(await post(server)).toEqual({ status: 503, retryAfter: '120', body: 'x'.repeat(1024) })
})

test('a proxy of the environment is not used', async () => {
  await using proxy = await http((_request, response) => response.end('proxy'))
  await using server = await http((_request, response) => response.end('server'))
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
  const before = names.map((name) => process.env[name])
  try {
    for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : `http://127.0.0.1:${proxy.port}`
    expect((await post(server)).body).toBe('server')
  } finally {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) delete process.env[name]
      else process.env[name] = before[index]
    }
  }
})

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
  const answer = await post(server, { timeoutMs: 300 })
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
  await using server = await raw((socket) => void speak(socket))
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

test('the time includes the DNS', async () => {
  await using dns = await openDnsServer(() => null)
  const target = parseTarget('https://hooks.example.com/', policy)
  const sending = sendPinned(target, policy, {
    method: 'POST',
    headers: {},
    body: '',
    timeoutMs: 300,
    servers: [dns.server],
  })
  await expect(sending).rejects.toThrow(new RequestFailed('There was no answer in 300 ms.'))
})

test('switching protocols is an answer and no connection that stays', async () => {
  await using server = await raw((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  )
  expect(await post(server)).toEqual({ status: 101, retryAfter: null, body: '' })
})

test('nobody listening is told without the address', async () => {
  const port = await closedPort()
  await expect(post({ port })).rejects.toThrow(new RequestFailed('The connection was refused (ECONNREFUSED).'))
})

test('who gives up gets their own reason, before and while it is sent', async () => {
  const reason = new Error('the server stops')
  const giveUp = new AbortController()
  await using server = await raw(() => giveUp.abort(reason))
  await expect(post(server, { signal: giveUp.signal })).rejects.toBe(reason)
  await expect(post(server, { signal: giveUp.signal })).rejects.toBe(reason)
  expect(server.connections()).toBe(1)
})

async function closedPort(): Promise<number> {
  await using server = await listen(createTcpServer())
  return server.port
}
