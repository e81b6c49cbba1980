import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDnsServer } from './fixtures/dns-server.ts'
import { hostsFileAddresses } from './hosts-file.ts'
import { createAddressPolicy } from './policy.ts'
import { RequestFailed } from './request-failed.ts'
import { resolveTarget } from './resolve.ts'
import { TargetRefused, parseTarget } from './target.ts'

const internet = createAddressPolicy({ own: () => ({ address: '0.0.0.0', port: 8787 }) })

async function resolve(
  addresses: readonly string[] | null,
  url = 'https://hooks.example.com/',
  policy = internet,
  timeoutMs = 60_000,
): Promise<string[]> {
  await using dns = await openDnsServer(() => addresses)
  return await resolveTarget(parseTarget(url, policy), policy, { servers: [dns.server], timeoutMs })
}

test('a name is asked for once, for addresses of both kinds, and all are checked', async () => {
  await using dns = await openDnsServer(() => ['8.8.8.8', '2606:4700:4700::1111', '8.8.4.4'])
  const found = await resolveTarget(parseTarget('https://hooks.example.com/', internet), internet, {
    servers: [dns.server],
  })
  expect(found).toEqual(['8.8.8.8', '8.8.4.4', '2606:4700:4700::1111'])
  expect(dns.asked.toSorted()).toEqual(['A hooks.example.com', 'AAAA hooks.example.com'])
})

test('an address needs no name server', async () => {
  await using dns = await openDnsServer(() => ['10.0.0.1'])
  expect(await resolveTarget(parseTarget('https://8.8.8.8/', internet), internet, { servers: [dns.server] })).toEqual([
    '8.8.8.8',
  ])
  expect(dns.asked).toEqual([])
})

test.each([
  [['127.0.0.1']],
  [['10.0.0.1']],
  [['169.254.169.254']],
  [['100.64.1.1']],
  [['0.0.0.0']],
  [['::1']],
  [['fd00:ec2::254']],
  [['fe80::1']],
  [['::ffff:8.8.8.8']],
  [['64:ff9b::808:808']],
  // One bad address refuses them all, wherever it stands.
  [['8.8.8.8', '10.0.0.1']],
  [['10.0.0.1', '8.8.8.8']],
  [['8.8.8.8', '8.8.4.4', '192.168.1.1', '1.1.1.1']],
  [['8.8.8.8', '::1']],
  [['2606:4700:4700::1111', '127.0.0.1']],
])('a name with %j is refused, and no address is named', async (addresses) => {
  const refusal = await resolve(addresses).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(TargetRefused)
  expect((refusal as Error).message).toMatch(/is not on the public internet/)
  expect((refusal as Error).message).not.toMatch(/\d|:/)
})

test('plain http goes only where all addresses are in networks that were opened', async () => {
  const policy = createAddressPolicy({ networks: ['10.0.0.0/8'], own: () => null })
  expect(await resolve(['10.0.0.1'], 'http://hooks.example.com/', policy)).toEqual(['10.0.0.1'])
  await expect(resolve(['8.8.8.8'], 'http://hooks.example.com/', policy)).rejects.toThrow(
    /no network that the operator opened/,
  )
  await expect(resolve(['10.0.0.1', '8.8.8.8'], 'http://hooks.example.com/', policy)).rejects.toThrow(TargetRefused)
  expect(await resolve(['8.8.8.8'], 'https://hooks.example.com/', policy)).toEqual(['8.8.8.8'])
})

test('a name that does not exist, and a name server that says nothing, are failures and not refusals', async () => {
  await expect(resolve([])).rejects.toThrow(new RequestFailed('Its host has no address.'))
  await expect(resolve(null, undefined, undefined, 500)).rejects.toThrow(
    new RequestFailed('The DNS gave no answer about its host (ETIMEOUT).'),
  )
})

test('who gives up does not wait for a name server', async () => {
  await using dns = await openDnsServer(() => null)
  const giveUp = new AbortController()
  const reason = new Error('enough')
  const resolving = resolveTarget(parseTarget('https://hooks.example.com/', internet), internet, {
    servers: [dns.server],
    signal: giveUp.signal,
  })
  giveUp.abort(reason)
  await expect(resolving).rejects.toBe(reason)
})

test("the machine's own table of hosts counts only where an operator opened a network", async () => {
  const policy = createAddressPolicy({ networks: ['127.0.0.0/8', '::1'], own: () => null })
  await using dns = await openDnsServer(() => [])
  const found = await resolveTarget(parseTarget('http://localhost/', policy), policy, { servers: [dns.server] })
  expect(found).toContain('127.0.0.1')
  expect(dns.asked).toEqual([])
})

test('the table of hosts is read with its aliases, comments and blanks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-hosts-'))
  try {
    const file = join(folder, 'hosts')
    await writeFile(file, '# 10.0.0.9 a\n10.0.0.1\tA b # c\n\n::1 a\nnonsense a\n10.0.0.2 aa\n')
    expect(await hostsFileAddresses('a', file)).toEqual(['10.0.0.1', '::1'])
    expect(await hostsFileAddresses('b', file)).toEqual(['10.0.0.1'])
    expect(await hostsFileAddresses('c', file)).toEqual([])
    expect(await hostsFileAddresses('a', join(folder, 'none'))).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a name with more addresses than anybody needs is refused before they are looked at', async () => {
  const addresses = Array.from({ length: 70 }, (_, i) => (i % 2 === 0 ? `8.8.8.${i}` : `2606:4700::${i}`))
  const refusal = await resolve(addresses).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(RequestFailed)
  expect((refusal as Error).message).toBe('Its host has more than 64 addresses.')
  expect(await resolve(addresses.slice(0, 64))).toHaveLength(64)
})
