import { createServer as createHttpServer } from 'node:http'
import { type Socket, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listen } from '../../net/fixtures/listen.ts'
import { type Guest, type WayOut, entries, openWayOut } from './fixtures/way-out.ts'

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy']
let before: Record<string, string | undefined>
beforeEach(() => {
  before = Object.fromEntries(PROXIES.map((name) => [name, process.env[name]]))
  for (const name of PROXIES) delete process.env[name]
})
afterEach(() => {
  for (const name of PROXIES) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const ADDRESSES: Readonly<Record<string, string>> = {
  'beside.example.com': '127.0.0.2',
  'inside.example.com': '10.0.0.5',
  'further.example.com': '127.0.1.2',
  'metadata.example.com': '169.254.169.254',
}
const NAMES = Object.keys(ADDRESSES)
const hello = () =>
  listen(
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  )

/** A build whose index is at `from`, and named these hosts. */
const building = (wayOut: WayOut, from: string, port: number, names = NAMES): Promise<Guest> =>
  wayOut.join(
    { allow: entries(names.map((name) => `${name}:${port}`)), trust: 'operator', learnt: { from, names } },
    [port],
    { names: names.length },
  )

const reasons = ({ denied }: Guest): string[] => denied.map(({ host, why }) => `${host} ${why}`)

test('a host that an index named is reached beside an index that is not public, and at no other such address', async () => {
  await using server = await hello()
  await using wayOut = await openWayOut((name) => [ADDRESSES[name]!], { networks: [] })
  const guest = await building(wayOut, '127.0.0.9', server.port)
  const got: string[] = []
  for (const name of NAMES) got.push(await guest.read(name, server.port))
  expect(got).toEqual(['hello', 'ECONNRESET', 'ECONNRESET', 'ECONNRESET'])
  await guest.link.told()
  expect(reasons(guest)).toEqual(NAMES.slice(1).map((name) => `${name} address`))
})

test('where the index is public it is reached at public addresses only', async () => {
  await using server = await hello()
  await using wayOut = await openWayOut((name) => [ADDRESSES[name]!], { networks: [] })
  // As a name it is its own address.
  const guest = await building(wayOut, '1.1.1.1', server.port)
  for (const name of NAMES) expect(await guest.read(name, server.port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(reasons(guest)).toEqual(NAMES.map((name) => `${name} address`))
})

test('behind a proxy what is private here is not asked for, and what nobody knows here is for the proxy to find', async () => {
  await using server = await hello()
  const asked: string[] = []
  const proxy = createHttpServer().on('connect', (request, socket: Socket) => {
    asked.push(request.url!)
    socket.end('HTTP/1.1 200 Connection established\r\n\r\nhello')
  })
  await using proxying = await listen(proxy)
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxying.port}`
  const unknown = 'unknown.example.com'
  await using wayOut = await openWayOut((name) => (name === unknown ? [] : [ADDRESSES[name]!]), { networks: [] })
  const guest = await building(wayOut, '1.1.1.1', server.port, ['inside.example.com', unknown])
  expect(await guest.read('inside.example.com', server.port)).toBe('ECONNRESET')
  expect(await guest.read(unknown, server.port)).toBe('hello')
  expect(await guest.read(unknown, server.port)).toBe('hello')
  expect(asked).toEqual([`${unknown}:${server.port}`, `${unknown}:${server.port}`])
  expect(wayOut.dns.asked.filter((one) => one.includes(unknown)).length).toBe(2)
})
