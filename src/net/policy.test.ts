import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { NetworkListError } from './networks.ts'
import { createAddressPolicy } from './policy.ts'

const own = (): { address: string; port: number } => ({ address: '127.0.0.1', port: 8787 })
const everything = createAddressPolicy({ networks: ['0.0.0.0/0', '::/0'], own })

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '224.0.0.251',
  'ff02::fb',
  '255.255.255.255',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '::ffff:10.0.0.1',
  '::ffff:a00:1',
  '::ffff:169.254.169.254',
  '::ffff:0:10.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a00:1',
  '2002:a00:1::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  'fe80::1%lo',
  'localhost',
  '',
])('%s is refused, whatever an operator opened', (address) => {
  expect(everything.allows(address, 443, true)).toBe(false)
  expect(everything.allows(address, 80, false)).toBe(false)
})

test.each(['10.0.0.1', '192.168.1.1', '127.0.0.1', '100.64.0.1', '172.16.0.1', '::1', 'fc00::1', 'fe80::1', '8.8.8.8'])(
  '%s is allowed where an operator opened it, also without TLS',
  (address) => {
    expect(everything.allows(address, 443, true)).toBe(true)
    expect(everything.allows(address, 80, false)).toBe(true)
  },
)

test('only what was opened is, and only there goes plain http', () => {
  const policy = createAddressPolicy({ networks: ['10.1.0.0/16', ' 192.168.7.7 ', 'fd12::/16'], own })
  const allowed = (address: string): boolean[] => [true, false].map((secure) => policy.allows(address, 443, secure))
  expect(allowed('10.1.255.255')).toEqual([true, true])
  expect(allowed('10.2.0.0')).toEqual([false, false])
  expect(allowed('192.168.7.7')).toEqual([true, true])
  expect(allowed('192.168.7.8')).toEqual([false, false])
  expect(allowed('fd12:3::4')).toEqual([true, true])
  expect(allowed('fd13::4')).toEqual([false, false])
  expect(allowed('8.8.8.8')).toEqual([true, false])
  expect(createAddressPolicy({ own }).allows('8.8.8.8', 443, false)).toBe(false)
})

test('this server is refused at every address of the machine, but only its own port', () => {
  const all = Object.values(networkInterfaces()).flatMap((them) => them!.map(({ address }) => address))
  for (const address of [...all, '127.0.0.1', '127.200.3.4', '::1']) {
    expect(everything.allows(address, 8787, false), address).toBe(false)
    expect(everything.allows(address, 8788, false), address).toBe(true)
  }
  expect(everything.allows('10.250.250.250', 8787, false)).toBe(true)
})

test('the address at which the server listens is its own, also when no interface has it; a name is none', () => {
  expect(isAllowedOf('8.8.4.4')).toBe(false)
  expect(isAllowedOf('0.0.0.0')).toBe(true)
  expect(isAllowedOf('skillet.example.com')).toBe(true)
  expect(createAddressPolicy({ own: () => null }).allows('8.8.4.4', 8787, true)).toBe(true)
})

test.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'corp', '', '10.0.0.0/8/8', '10.0.0.0/-1', 'fe80::1%lo', '::/'])(
  'the network %j is a mistake that is told',
  (text) => {
    expect(() => createAddressPolicy({ networks: [text], own })).toThrow(NetworkListError)
  },
)

/** Whether 8.8.4.4:8787 is, for a server that listens at that address. */
function isAllowedOf(address: string): boolean {
  return createAddressPolicy({ own: () => ({ address, port: 8787 }) }).allows('8.8.4.4', 8787, true)
}
