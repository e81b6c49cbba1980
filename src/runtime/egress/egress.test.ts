import { once } from 'node:events'
import { type IncomingMessage, createServer as createHttpServer, get } from 'node:http'
import { type Server, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, listen } from '../../net/fixtures/listen.ts'
import { LITERAL, type WayOut, openWayOut } from './fixtures/way-out.ts'

// 127.0.0.2 plays an address that the operator opened, 127.0.0.3 one that nobody may reach.
let wayOut: WayOut
beforeAll(async () => {
  wayOut = await openWayOut(
    (name, time) => (name === 'rebind.example.com' && time > 1 ? ['127.0.0.3'] : (ADDRESSES[name] ?? [])),
    {
      networks: ['127.0.0.2', '127.0.0.9'],
    },
  )
})
afterAll(() => wayOut[Symbol.asyncDispose]())

const ADDRESSES: Record<string, string[]> = {
  'api.example.com': ['127.0.0.2'],
  'a.b.wild.example.com': ['127.0.0.2'],
  'rebind.example.com': ['127.0.0.2'],
  'closed.example.com': ['127.0.0.3'],
  'mixed.example.com': ['127.0.0.2', '127.0.0.3'],
  'spare.example.com': ['127.0.0.9', '127.0.0.2'],
  'down.example.com': ['127.0.0.9'],
  'private.example.com': ['10.0.0.5'],
  'metadata.example.com': ['169.254.169.254'],
  'mapped.example.com': ['::ffff:127.0.0.2'],
  'nat64.example.com': ['64:ff9b::7f00:2'],
  'six.example.com': ['::1'],
}

const hello = (address = '127.0.0.2', port = 0): Promise<Listening> =>
  listen(
    createServer((socket) => socket.end(`hello from ${address}`)),
    address,
    port,
  )

test('a listed name is reached, by whatever program', async () => {
  const http: Server = createHttpServer((request, response) => response.end(`for ${request.headers.host}`))
  await using server = await listen(http, '127.0.0.2')
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`, `*.wild.example.com:${port}`], [port])
  for (const host of ['API.example.com', 'a.b.wild.example.com']) {
    const socket = await guest.connect(host, port)
    const request = get({ createConnection: () => socket, host, port })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect(await text(response)).toBe(`for ${host}:${port}`)
    socket.destroy()
  }
  await guest.link.told()
  expect(guest.denied).toEqual([])
  expect(guest.link.traffic()).toMatchObject({ connections: 2 })
  const { bytes_out, bytes_in } = guest.link.traffic()
  expect(bytes_out).toBeGreaterThan(100)
  expect(bytes_in).toBeGreaterThan(100)
})

test('names have one address as long as they live, and none of another kind', async () => {
  const guest = await wayOut.join(['api.example.com', '*.wild.example.com'])
  expect(await guest.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  expect(await guest.lookUp('x.wild.example.com')).toEqual(['127.77.0.2'])
  expect(await guest.lookUp('API.EXAMPLE.COM')).toEqual(['127.77.0.1'])
  expect(await guest.lookUp('api.example.com', 'AAAA')).toEqual([])
  expect(await guest.lookUp('api.example.com', 'TXT')).toEqual([])
})

test('a name that is not listed does not exist, nobody is asked about it, and it is told', async () => {
  const guest = await wayOut.join(['api.example.com', '*.wild.example.com'])
  const before = wayOut.dns.asked.length
  for (const name of [
    'evil.example.com',
    'wild.example.com',
    'xapi.example.com',
    'api.example.com.evil.org',
    'c2VjcmV0.evil.org',
  ]) {
    expect(await guest.lookUp(name)).toBe('NXDOMAIN')
    expect(await guest.lookUp(name, 'AAAA')).toBe('NXDOMAIN')
  }
  // By bytes that only a wildcard could let through.
  expect(await guest.lookUp('a b.wild.example.com')).toBe('NXDOMAIN')
  expect(await guest.lookUp('\u0000.wild.example.com')).toBe('NXDOMAIN')
  expect(await guest.lookUp('-x.wild.example.com')).toBe('NXDOMAIN')
  await guest.link.told()
  expect(wayOut.dns.asked.length).toBe(before)
  expect(
    guest.denied.filter(({ host }) => host === 'wild.example.com').reduce((sum, { times }) => sum + times, 0),
  ).toBe(2)
  expect(guest.denied.every(({ port, why }) => port === null && why === 'name')).toBe(true)
  expect(guest.denied.map(({ host }) => host)).toContain('a?b.wild.example.com')
  expect(guest.denied.map(({ host }) => host)).toContain('?.wild.example.com')
})

test('a listed name is not reached at a port of another one', async () => {
  await using server = await hello()
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`, 'rebind.example.com:81'], [port])
  expect(await guest.read('api.example.com', port)).toBe('hello from 127.0.0.2')
  expect(await guest.read('rebind.example.com', port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(guest.denied).toEqual([{ host: 'rebind.example.com', port, why: 'port', times: 1 }])
  expect(server.connections()).toBe(1)
})

test('an address that stands for no name is reached by nobody', async () => {
  await using server = await hello()
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  for (const address of ['127.77.0.1', LITERAL]) {
    expect(await guest.read(address, port)).toBe('ECONNRESET')
  }
  await guest.link.told()
  expect(guest.denied).toEqual([
    { host: '127.77.0.1', port, why: 'literal', times: 1 },
    { host: LITERAL, port, why: 'literal', times: 1 },
  ])
  expect(server.connections()).toBe(0)
})

test.each(['private', 'metadata', 'closed', 'mixed', 'mapped', 'nat64', 'six'])(
  'a listed name whose address may not be reached is refused: %s',
  async (name) => {
    await using good = await hello()
    const { port } = good
    await using bad = await hello('127.0.0.3', port)
    const host = `${name}.example.com`
    const guest = await wayOut.join([`${host}:${port}`], [port])
    expect(await guest.read(host, port)).toBe('ECONNRESET')
    await guest.link.told()
    expect(guest.denied).toEqual([{ host, port, why: 'address', times: 1 }])
    expect([good.connections(), bad.connections()]).toEqual([0, 0])
  },
)

test('what is connected to is the address that was checked, and each connection is checked anew', async () => {
  await using good = await hello()
  const { port } = good
  await using bad = await hello('127.0.0.3', port)
  const guest = await wayOut.join([`rebind.example.com:${port}`], [port])
  expect(await guest.read('rebind.example.com', port)).toBe('hello from 127.0.0.2')
  expect(wayOut.dns.asked.filter((one) => one.endsWith('rebind.example.com'))).toHaveLength(2)
  expect(await guest.read('rebind.example.com', port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(guest.denied).toMatchObject([{ why: 'address' }])
  expect([good.connections(), bad.connections()]).toEqual([1, 0])
})

test('where the first address does not answer the next one does; where none does, that is told', async () => {
  await using server = await hello()
  const { port } = server
  const guest = await wayOut.join([`spare.example.com:${port}`, `down.example.com:${port}`], [port])
  expect(await guest.read('spare.example.com', port)).toBe('hello from 127.0.0.2')
  expect(await guest.read('down.example.com', port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(guest.denied).toEqual([{ host: 'down.example.com', port, why: 'unreachable', times: 1 }])
})

test('each side may end its half, and a connection that breaks off never looks like one that ended', async () => {
  await using server = await listen(
    createServer({ allowHalfOpen: true }, (socket) => {
      let got = ''
      socket.on('data', (chunk: Buffer) => {
        got += chunk.toString()
        if (got === 'break off') socket.write('half of', () => socket.resetAndDestroy())
      })
      socket.on('end', () => socket.end(`got ${got}`))
    }),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  const ends = await guest.connect('api.example.com', port)
  ends.end('all of it')
  expect(await text(ends)).toBe('got all of it')
  const breaks = await guest.connect('api.example.com', port)
  breaks.write('break off')
  await expect(text(breaks)).rejects.toThrow('ECONNRESET')
})

test('the server itself is out of reach, although its network was opened', async () => {
  await using server = await hello()
  const { port } = server
  await using other = await openWayOut(() => ['127.0.0.2'], { own: () => ({ address: '127.0.0.2', port }) })
  const guest = await other.join([`api.example.com:${port}`], [port])
  expect(await guest.read('api.example.com', port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(guest.denied).toMatchObject([{ why: 'address' }])
})
