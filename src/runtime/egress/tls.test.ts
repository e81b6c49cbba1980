import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { type TLSSocket, connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestCertificate, issueCertificate } from '../../net/fixtures/certificate.ts'
import { type Listening, listen } from '../../net/fixtures/listen.ts'
import { type Guest, type WayOut, openWayOut } from './fixtures/way-out.ts'

let wayOut: WayOut
let certificate: TestCertificate
beforeAll(async () => {
  certificate = await issueCertificate('api.example.com')
  wayOut = await openWayOut(() => ['127.0.0.2'], { networks: ['127.0.0.2'] })
})
afterAll(() => wayOut[Symbol.asyncDispose]())

const tlsServer = (port = 0): Promise<Listening> =>
  listen(
    createTlsServer(certificate, (socket) => socket.end('over TLS')),
    '127.0.0.2',
    port,
  )

const over = (socket: Duplex, servername: string): TLSSocket =>
  connectTls({
    socket,
    ca: certificate.authority,
    ...(servername === '' ? { checkServerIdentity: () => undefined } : { servername }),
  })

/** What comes of it: what was read, or how it broke off. */
async function reading(socket: Duplex): Promise<string> {
  return await text(socket).catch((error: NodeJS.ErrnoException) => error.code ?? error.message)
}

/** A reset, as the client's TLS calls it. */
const RESET = 'ECONNRESET'

/** Which ports a process may open differs: those under 1024 are for root, unless the machine says otherwise. */
const opens443 = await listen(createServer(), '127.0.0.2', 443).then(
  async (server) => (await server[Symbol.asyncDispose](), true),
  () => false,
)

async function withServer(port: number, use: (guest: Guest, server: Listening) => Promise<void>): Promise<void> {
  await using server = await tlsServer(port)
  const guest = await wayOut.join([`api.example.com:${server.port}`], [server.port])
  await use(guest, server)
  guest.link.close()
  // The next one has the same port.
  await expect.poll(() => guest.read('127.77.0.1', server.port)).toBe('ECONNREFUSED')
}

test.skipIf(!opens443)('at port 443 nobody is dialed but for TLS with the name that was looked up', async () => {
  await withServer(443, async (guest, server) => {
    const connected = (): Promise<Socket> => guest.connect('api.example.com', 443)
    expect(await reading(over(await connected(), 'api.example.com'))).toBe('over TLS')
    expect(server.connections()).toBe(1)

    expect(await reading(over(await connected(), 'evil.example.com'))).toBe(RESET)
    expect(await reading(over(await connected(), ''))).toBe(RESET)
    const http = await connected()
    http.write('GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n')
    expect(await reading(http)).toBe(RESET)
    await guest.link.told()
    expect(
      guest.denied.every(({ host, port, why }) => host === 'api.example.com' && port === 443 && why === 'server_name'),
    ).toBe(true)
    expect(guest.denied.reduce((sum, { times }) => sum + times, 0)).toBe(3)

    // Who only looks whether somebody is there has done nothing wrong.
    const looking = await connected()
    looking.end()
    expect(await reading(looking)).toBe('')
    await guest.link.told()
    expect(guest.denied.reduce((sum, { times }) => sum + times, 0)).toBe(3)
    expect(server.connections()).toBe(1)
  })
})

test.skipIf(!opens443)('at port 443 a hello may come in pieces', async () => {
  await withServer(443, async (guest) => {
    const outer = await guest.connect('api.example.com', 443)
    expect(await reading(over(slowly(outer), 'api.example.com'))).toBe('over TLS')
  })
})

test('at another port TLS with the name, or with none, goes through', async () => {
  await withServer(0, async (guest, { port }) => {
    expect(await reading(over(await guest.connect('api.example.com', port), 'api.example.com'))).toBe('over TLS')
    expect(await reading(over(await guest.connect('api.example.com', port), ''))).toBe('over TLS')
    await guest.link.told()
    expect(guest.denied).toEqual([])
    expect(guest.link.traffic().connections).toBe(2)
  })
})

test('at another port TLS with another name gets no byte further, however it is cut', async () => {
  const got: Buffer[] = []
  await using server = await listen(
    createServer((socket) => socket.on('data', (chunk: Buffer) => got.push(chunk))),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  for (const cut of [false, true]) {
    const outer = await guest.connect('api.example.com', port)
    expect(await reading(over(cut ? slowly(outer) : outer, 'evil.example.com'))).toBe(RESET)
  }
  await guest.link.told()
  expect(guest.denied.map(({ why }) => why)).toContain('server_name')
  expect(guest.denied.reduce((sum, { times }) => sum + times, 0)).toBe(2)
  expect(Buffer.concat(got).length).toBe(0)
})

test.each([443, 0])('who does not say for long with whom it wants TLS is refused: port %i', async (wanted) => {
  if (wanted === 443 && !opens443) return
  await using impatient = await openWayOut(() => ['127.0.0.2'], { limits: { helloMs: 100 } })
  await using server = await tlsServer(wanted)
  const { port } = server
  const guest = await impatient.join([`api.example.com:${port}`], [port])
  const begins = await guest.connect('api.example.com', port)
  begins.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]))
  expect(await reading(begins)).toBe(RESET)
  await guest.link.told()
  expect(guest.denied).toEqual([{ host: 'api.example.com', port, why: 'server_name', times: 1 }])
})

test('at another port a server may speak first, and a client anything but TLS', async () => {
  await using server = await listen(
    createServer((socket) => {
      socket.write('220 ready\r\n')
      socket.once('data', (chunk: Buffer) => socket.end(`got ${chunk.toString('latin1')}`))
    }),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  for (const words of ['QUIT', '\u0016', '\u0016\u0003\u0001']) {
    const socket = await guest.connect('api.example.com', port)
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    expect(greeting.toString()).toBe('220 ready\r\n')
    socket.end(words)
    expect(await reading(socket)).toBe(`got ${words}`)
  }
})

/** Sends what is written to it byte by byte, each in a segment of its own. */
function slowly(socket: Socket): Duplex {
  socket.setNoDelay(true)
  const slow = new Duplex({
    read: () => undefined,
    async write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length && !socket.destroyed; at++) {
        socket.write(chunk.subarray(at, at + 1))
        await setImmediate()
      }
      done()
    },
  })
  socket.on('data', (chunk) => slow.push(chunk)).once('end', () => slow.push(null))
  socket.once('error', (error) => slow.destroy(error))
  return slow
}
