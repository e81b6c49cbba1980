import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { listen } from '../../src/net/fixtures/listen.ts'
import { openTestSessions } from '../../src/runtime/test-sessions.ts'
import { refused } from '../attacks.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'
import { CONNECTING_NODE, CONNECTING_PYTHON, type Target, allowed, connecting, told } from '../connecting.ts'
import { openOwnEgress } from '../net.ts'

const METADATA = ['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', 'fd00:ec2::254']

function outside({ network: { servers } }: AbuseWorld): Target[] {
  const own = Object.values(networkInterfaces()).flatMap((each) => each!.map(({ address }) => address))
  const local = ['127.0.0.1', '127.0.0.53', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', 'localhost', ...own]
  return [
    ...[...METADATA, '10.0.0.1', '172.17.0.1', '192.168.1.1', '192.0.2.1', '2001:db8::1'].map((host): Target => [
      host,
      80,
    ]),
    ...local.flatMap((host): Target[] => [
      [host, servers.other.port],
      [host, 22],
    ]),
  ]
}

/** Names by what they resolve to. */
const PRIVATE: Readonly<Record<string, string>> = {
  ten: '10.0.0.5',
  home: '192.168.1.1',
  docker: '172.17.0.1',
  carrier: '100.64.0.1',
  metadata: '169.254.169.254',
  alibaba: '100.100.100.200',
  unspecified: '0.0.0.0',
  broadcast: '255.255.255.255',
  mapped: '::ffff:10.0.0.5',
  nat64: '64:ff9b::a00:5',
  sixtofour: '2002:a00:5::1',
  loopback6: '::1',
  unique: 'fd12:3456::1',
  ec2: 'fd00:ec2::254',
  link: 'fe80::1',
}
const privateName = (kind: string): string => `${kind}.c27.example.com`

/** Without a network that the operator opened, this machine itself is as closed as all others. */
async function loopbackByName(world: AbuseWorld): Promise<void> {
  const { network } = world
  const egress = openOwnEgress(network.dnsServer, [])
  world.after(() => egress.close())
  const sandboxes = await openTestSessions({ egress })
  world.after(() => sandboxes.close())
  const own = await listen(createServer((socket) => socket.end('should not be reached')))
  world.after(() => own[Symbol.asyncDispose]())
  const name = 'loopback.c27-closed.example.com'
  network.name(name, () => ['127.0.0.1'])
  const spec = { network: [{ name, wildcard: false, ports: [own.port] }] }
  for (const make of [() => sandboxes.python(CONNECTING_PYTHON, spec), () => sandboxes.node(CONNECTING_NODE, spec)]) {
    const session = await make()
    const ran = await world.invoke(session, { targets: [[name, own.port]] })
    refused(ran.output, ['closed', 'ECONNRESET'])
    told(ran, /private or otherwise closed/)
    await session.kill()
  }
  assert.equal(own.connections(), 0)
}

/** Reaching what is not in the network list, or anything where there is none. */
export const NETWORK: readonly AbuseCase[] = [
  {
    number: 25,
    title: 'metadata of clouds, private networks, the host’s own ports',
    python: [connecting(outside, null).python, connecting(outside, allowed).python],
    node: [connecting(outside, null).node, connecting(outside, allowed).node],
  },
  {
    number: 27,
    title: 'an allowed name with a private address',
    ...connecting(
      ({ network }) =>
        Object.entries(PRIVATE).map(([kind, address]) => {
          network.name(privateName(kind), () => [address])
          return [privateName(kind), network.servers.plain.port]
        }),
      ({ network }) => ({
        network: [network.allowed, { name: 'c27.example.com', wildcard: true, ports: network.allowed.ports }],
      }),
      (ran) => told(ran, /ten\.c27\.example\.com:\d+ was refused \(the name has an address that is private/),
    ),
    world: loopbackByName,
  },
  {
    number: 28,
    title: 'another port of an allowed name',
    ...connecting(
      ({
        network: {
          allowed: { name },
          servers,
        },
      }) => [
        [name, servers.other.port],
        [name, 22],
        [name, 80],
        ['c28.example.com', servers.http.port],
      ],
      ({ network }) => {
        network.name('c28.example.com', () => ['127.0.0.1'])
        return {
          network: [network.allowed, { name: 'c28.example.com', wildcard: false, ports: [network.servers.plain.port] }],
        }
      },
      (ran) => told(ran, /c28\.example\.com:\d+ was refused \(the network list has the name, with another port\)/),
    ),
  },
  {
    number: 29,
    title: 'addresses that stand for names, without the name',
    ...connecting(
      ({ network: { servers } }) =>
        ['127.77.0.0', '127.77.0.1', '127.77.200.200', '127.77.255.255', '127.0.0.1', '127.9.9.9', '0.0.0.0'].map(
          (host): Target => [host, servers.plain.port],
        ),
      allowed,
      (ran) => told(ran, /127\.77\.200\.200:\d+ was refused \(names are reached, not addresses\)/),
    ),
  },
]
