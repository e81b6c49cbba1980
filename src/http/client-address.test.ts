import { describe, expect, test } from 'vitest'
import { createClientAddress, networkOf } from './client-address.ts'

describe('without trusted proxies', () => {
  test('only the socket is believed', () => {
    const clientOf = createClientAddress()
    expect(clientOf('203.0.113.7', '10.0.0.1')).toBe('203.0.113.7')
    expect(clientOf('::ffff:203.0.113.7', undefined)).toBe('203.0.113.7')
    expect(clientOf(undefined, '10.0.0.1')).toBeNull()
  })
})

describe('behind 10.0.0.0/8, 127.0.0.1 and fd00::/8', () => {
  const clientOf = createClientAddress(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])

  test.each([
    ['who connects directly is not believed', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['one hop', '127.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['what stands left of the first stranger was made up', '127.0.0.1', '1.2.3.4, 203.0.113.7', '203.0.113.7'],
    ['trusted hops are passed over', '127.0.0.1', '1.2.3.4, 203.0.113.7, 10.1.2.3, 10.9.9.9', '203.0.113.7'],
    ['all of them trusted: the first', '127.0.0.1', '10.1.2.3', '10.1.2.3'],
    ['an IPv4 address in IPv6 clothes', '::ffff:10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['IPv6', 'fd00::1', '2001:db8::1', '2001:db8::1'],
    ['ports and brackets', '127.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['a port', '127.0.0.1', '203.0.113.7:5555', '203.0.113.7'],
    ['nothing that can be read', '127.0.0.1', '203.0.113.7, unknown', '127.0.0.1'],
    ['an empty header', '127.0.0.1', '', '127.0.0.1'],
    ['no header', '127.0.0.1', undefined, '127.0.0.1'],
  ])('%s', (_what, socket, header, client) => {
    expect(clientOf(socket, header)).toBe(client)
  })

  test('however much is made up, the end of the header counts', () => {
    expect(clientOf('127.0.0.1', `${'1.1.1.1,'.repeat(5000)}203.0.113.7`)).toBe('203.0.113.7')
  })
})

test.each(['proxy.example', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', ''])(
  '"%s" is no proxy',
  (text) => {
    expect(() => createClientAddress([text])).toThrow(expect.objectContaining({ fix: expect.any(String) }))
  },
)

test('an address of IPv6 shares its limit with its network', () => {
  expect(networkOf('203.0.113.7')).toBe('203.0.113.7')
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:0DB8:1:2::9')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64')
  expect(networkOf('::1')).toBe('0:0:0:0::/64')
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
})
