import { expect, test } from 'vitest'
import { connectionOf } from '../secrets/values.ts'
import { networkOf } from './connection-network.ts'

const of = (url: string) => networkOf({ DB: connectionOf(url) }, [])

test.each([
  ['postgres://reader:pw@DB.example.org:6000/orders', 'db.example.org', 6000],
  ['postgresql://db.example.org/orders', 'db.example.org', 5432],
  ['https://api.example.com/v1', 'api.example.com', 443],
  ['http://api.example.com:8080', 'api.example.com', 8080],
  ['redis://cache', 'cache', 6379],
  ['mysql://db_1.internal', 'db_1.internal', 3306],
  ['amqps://queue.example.com.', 'queue.example.com', 5671],
])('%s opens one name at one port', (url, name, port) => {
  expect(of(url)).toEqual({ network: [{ name, wildcard: false, ports: [port] }], unreachable: [] })
})

test.each([
  ['postgres://reader:geheim@10.0.0.5:5432/orders', 'address'],
  ['postgres://reader:geheim@127.1/orders', 'address'],
  ['postgres://reader:geheim@0x7f000001/orders', 'address'],
  ['postgres://reader:geheim@[fd00::1]:5432/orders', 'address'],
  ['custom://reader:geheim@db.example.org', 'no port'],
  ['postgres://reader:geheim@db.example.org:0', 'port 0'],
  ['dns://reader:geheim@db.example.org:53', 'port 53'],
  [`postgres://reader:geheim@${'a'.repeat(64)}.example.org`, 'no valid host'],
])('%s opens nothing, and the line that says so tells nothing of the value', (url, why) => {
  const { network, unreachable } = of(url)
  expect(network).toEqual([])
  expect(unreachable).toEqual([expect.stringContaining(why)])
  expect(unreachable[0]).toContain('The connection DB ')
  for (const part of ['geheim', 'reader', 'example', 'fd00', '10.0']) expect(unreachable[0]).not.toContain(part)
})

test('connections get what the network list leaves of names and ports', () => {
  const ports = Array.from({ length: 16 }, (_, i) => `name.example.com:${i + 1000}`)
  const more = networkOf(
    { OLD: connectionOf('http://a.example:1001'), NEW: connectionOf('http://a.example:81') },
    ports,
  )
  expect(more.network).toEqual([{ name: 'a.example', wildcard: false, ports: [1001] }])
  expect(more.unreachable).toEqual([
    expect.stringContaining('The connection NEW cannot be reached: with the network list'),
  ])
  const names = Array.from({ length: 64 }, (_, i) => `name${i}.example.com`)
  expect(networkOf({ DB: connectionOf('https://a.example') }, names).unreachable).toHaveLength(1)
})
