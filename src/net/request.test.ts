import { createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { openDnsServer } from './fixtures/dns-server.ts'
import { listen } from './fixtures/listen.ts'
import { http, policy, post, raw } from './fixtures/post.ts'
import { sendPinned } from './request.ts'
import { RequestFailed } from './request-failed.ts'
import { parseTarget } from './target.ts'

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
