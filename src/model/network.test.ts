import { expect, test } from 'vitest'
import { NetworkList, entryMatches, networkEntries, parseNetworkEntry, portsOf } from './network.ts'

test.each([
  ['api.example.com', { name: 'api.example.com', wildcard: false, ports: [80, 443] }],
  ['API.Example.COM', { name: 'api.example.com', wildcard: false, ports: [80, 443] }],
  ['*.example.com', { name: 'example.com', wildcard: true, ports: [80, 443] }],
  ['db.example.com:5432', { name: 'db.example.com', wildcard: false, ports: [5432] }],
  ['*.example.com:8443', { name: 'example.com', wildcard: true, ports: [8443] }],
  ['xn--bcher-kva.example', { name: 'xn--bcher-kva.example', wildcard: false, ports: [80, 443] }],
])('%s is an entry', (text, entry) => {
  expect(parseNetworkEntry(text)).toEqual(entry)
})

test.each([
  '',
  '*',
  '*.',
  'localhost',
  'example',
  '10.0.0.1',
  '127.1',
  '0x7f.1',
  '[::1]',
  '::1',
  'a..b',
  '.example.com',
  'example.com.',

  '-a.example.com',
  'a-.example.com',
  'a_b.example.com',
  'bücher.example',
  'a.*.example.com',
  '**.example.com',
  '*example.com',

  'example.com:0',
  'example.com:53',
  'example.com:65536',
  'example.com:http',
  'example.com:',
  'https://example.com',
  'example.com/x',

  'example.com\n',
  ' example.com',
  `${'a'.repeat(64)}.example.com`,
  `${'a.'.repeat(127)}com`,
])('%j is none', (text) => {
  expect(parseNetworkEntry(text)).toBeNull()
})

test('a wildcard means what is under its name, at any depth, and not the name itself', () => {
  const [entry] = networkEntries(['*.example.com'])
  expect(['a.example.com', 'b.a.example.com'].every((name) => entryMatches(entry!, name))).toBe(true)
  expect(['example.com', 'badexample.com', 'example.com.evil.test'].some((name) => entryMatches(entry!, name))).toBe(
    false,
  )
})

test('a list is as long as its limits allow', () => {
  expect(portsOf(networkEntries(['a.example.com', 'b.example.com:8443', 'c.example.com:443']))).toEqual([80, 443, 8443])
  const ports = Array.from({ length: 17 }, (_, i) => `a.example.com:${9000 + i}`)
  expect(NetworkList.safeParse(ports.slice(1)).success).toBe(true)
  expect(NetworkList.safeParse(ports).error?.issues[0]?.message).toContain('more than 16 different ports')
  expect(NetworkList.safeParse(Array.from({ length: 65 }, (_, i) => `a${i}.example.com`)).success).toBe(false)
})
