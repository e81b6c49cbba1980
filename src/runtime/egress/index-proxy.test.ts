import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type IndexProxy, type IndexProxyOptions, openIndexProxy } from './index-proxy.ts'

let folder: string
let upstream: Server
let asked: string[]
let proxy: IndexProxy | undefined
const saved = process.env['HTTPS_PROXY']

// The server's own proxy: it stands for the world outside, and answers in its place.
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-egress-'))
  asked = []
  upstream = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (head: Buffer) => {
      asked.push(head.toString('latin1').replaceAll('\r\n', '|'))
      socket.write('HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello ')
      socket.on('data', (chunk) => socket.write(chunk))
      socket.on('end', () => socket.end())
    })
  })
  await new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done))
  process.env['HTTPS_PROXY'] = `http://us%20er:pa%3Ass@127.0.0.1:${(upstream.address() as AddressInfo).port}`
})
afterEach(async () => {
  if (saved === undefined) delete process.env['HTTPS_PROXY']
  else process.env['HTTPS_PROXY'] = saved
  await proxy?.close()
  await new Promise((done) => upstream.close(done))
  expect(await readdir(folder)).toEqual([])
  await rm(folder, { recursive: true })
})

async function open(options: Partial<IndexProxyOptions> = {}): Promise<IndexProxy> {
  proxy = await openIndexProxy({ folder, hosts: new Set(['index.example']), ...options })
  return proxy
}

/** Everything that comes back until the connection ends. */
function talk(path: string, text: string, then?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let seen = ''
    const socket = connect(path)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      if (seen === '') then?.(socket)
      seen += chunk.toString('latin1')
    })
    socket.once('close', () => resolve(seen))
    socket.write(text)
  })
}

test('a listed host is reached, by way of the server’s own proxy, and bytes pass unread', async () => {
  const { path, denied } = await open()
  const answer = await talk(path, 'CONNECT Index.Example:443 HTTP/1.1\r\nHost: other\r\n\r\nearly ', (socket) =>
    socket.end('late'),
  )
  expect(answer).toBe('HTTP/1.1 200 Connection established\r\n\r\nhello early late')
  const login = Buffer.from('us er:pa:ss').toString('base64')
  expect(asked).toEqual([
    `CONNECT index.example:443 HTTP/1.1|Host: index.example:443|Proxy-Authorization: Basic ${login}||`,
  ])
  expect(denied()).toEqual([])
})

test.each([
  ['another host', 'CONNECT evil.example:443 HTTP/1.1\r\n\r\n', 'evil.example:443'],
  ['a host below', 'CONNECT a.index.example:443 HTTP/1.1\r\n\r\n', 'a.index.example:443'],
  [
    'a host that only ends alike',
    'CONNECT index.example.evil.example:443 HTTP/1.1\r\n\r\n',
    'index.example.evil.example:443',
  ],
  ['a dot more', 'CONNECT index.example.:443 HTTP/1.1\r\n\r\n', 'index.example.:443'],
  ['another port', 'CONNECT index.example:80 HTTP/1.1\r\n\r\n', 'index.example:80'],
  ['an address', 'CONNECT 169.254.169.254:443 HTTP/1.1\r\n\r\n', '169.254.169.254:443'],
  ['plain HTTP', 'GET http://index.example/ HTTP/1.1\r\n\r\n', 'something other than an https address'],
])('%s is refused and recorded', async (_name, text, recorded) => {
  const { path, denied } = await open()
  expect(await talk(path, text)).toMatch(/^HTTP\/1\.1 403 /)
  expect(denied()).toEqual([recorded])
  expect(asked).toEqual([])
})

test('a head without an end, too many bytes and too many connections end the connection', async () => {
  const { path } = await open({ maxBytes: 20, maxConnections: 1 })
  expect(await talk(path, 'A'.repeat(10_000))).toBe('')
  const answer = await talk(path, 'CONNECT index.example:443 HTTP/1.1\r\n\r\n', (socket) =>
    socket.write('B'.repeat(100_000)),
  )
  expect(answer).not.toContain('B'.repeat(21))

  const first = connect(path)
  const second = connect(path)
  await Promise.all([first, second].map((socket) => new Promise((done) => socket.once('connect', done))))
  expect(await talk(path, 'CONNECT index.example:443 HTTP/1.1\r\n\r\n')).toBe('')
  first.destroy()
  second.destroy()
})

test('closing ends what is open, and may be done twice', async () => {
  const { path, close } = await open()
  const answer = talk(path, 'CONNECT index.example:443 HTTP/1.1\r\n\r\n', () => void close())
  expect(await answer).toContain('200')
  await close()
  await close()
})
