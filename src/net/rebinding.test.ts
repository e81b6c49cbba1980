import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { openDnsServer } from './fixtures/dns-server.ts'
import { listen } from './fixtures/listen.ts'
import { createAddressPolicy } from './policy.ts'
import { sendPinned } from './request.ts'
import { TargetRefused, parseTarget } from './target.ts'

// 127.0.0.2 plays an address that is allowed, 127.0.0.3 one that is not, on the same port: that is what rebinding changes between.
const policy = createAddressPolicy({ networks: ['127.0.0.2'], own: () => null })
const REQUEST = { method: 'POST', headers: {}, body: '{}', timeoutMs: 10_000 }

function answering(text: string): ReturnType<typeof createServer> {
  return createServer((_request, response) => response.end(text))
}

test('what is connected to is the address that was checked, not what the name means a moment later', async () => {
  await using good = await listen(answering('good'), '127.0.0.2')
  await using bad = await listen(answering('bad'), '127.0.0.3', good.port)
  await using dns = await openDnsServer((_name, time) => [time === 1 ? '127.0.0.2' : '127.0.0.3'])
  const target = parseTarget(`http://rebind.example.com:${good.port}/`, policy)

  const first = await sendPinned(target, policy, { ...REQUEST, servers: [dns.server] })
  expect(first.body).toBe('good')
  // Nothing asked a second time on the way from the check to the connection.
  expect(dns.asked.toSorted()).toEqual(['A rebind.example.com', 'AAAA rebind.example.com'])

  // The next delivery asks and checks again.
  await expect(sendPinned(target, policy, { ...REQUEST, servers: [dns.server] })).rejects.toThrow(TargetRefused)
  expect(dns.asked.filter((one) => one.startsWith('A '))).toHaveLength(2)
  expect([good.connections(), bad.connections()]).toEqual([1, 0])
})

test('of an answer that mixes addresses none is connected to', async () => {
  await using good = await listen(answering('good'), '127.0.0.2')
  await using bad = await listen(answering('bad'), '127.0.0.3', good.port)
  const target = parseTarget(`http://rebind.example.com:${good.port}/`, policy)
  for (const addresses of [
    ['127.0.0.2', '127.0.0.3'],
    ['127.0.0.3', '127.0.0.2'],
  ]) {
    await using dns = await openDnsServer(() => addresses)
    await expect(sendPinned(target, policy, { ...REQUEST, servers: [dns.server] })).rejects.toThrow(TargetRefused)
  }
  expect([good.connections(), bad.connections()]).toEqual([0, 0])
})

test('a name that leads to this server itself is refused, although its network was opened', async () => {
  await using server = await listen(answering('own'), '127.0.0.2')
  const own = createAddressPolicy({
    networks: ['127.0.0.0/8'],
    own: () => ({ address: '127.0.0.2', port: server.port }),
  })
  await using dns = await openDnsServer(() => ['127.0.0.2'])
  const target = parseTarget(`http://rebind.example.com:${server.port}/`, own)
  await expect(sendPinned(target, own, { ...REQUEST, servers: [dns.server] })).rejects.toThrow(TargetRefused)
  expect(server.connections()).toBe(0)
})

test('where the first address does not answer, another one that was checked does', async () => {
  const opened = createAddressPolicy({ networks: ['127.0.0.0/8', '::1'], own: () => null })
  await using good = await listen(answering('good'), '127.0.0.2')
  await using dns = await openDnsServer(() => ['127.0.0.9', '127.0.0.2', '::1'])
  const target = parseTarget(`http://rebind.example.com:${good.port}/`, opened)
  expect(await sendPinned(target, opened, { ...REQUEST, servers: [dns.server] })).toMatchObject({
    status: 200,
    body: 'good',
  })
})
