import assert from 'node:assert/strict'
import type { SessionSpec } from '../src/runtime/driver.ts'
import { refused } from './attacks.ts'
import type { Attack, AttackRun, AbuseWorld } from './case.ts'

/** What comes of a connection to each host and port. */
export const CONNECTING_PYTHON = `
import errno, socket
def reach(host, port):
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as it:
            it.settimeout(60)
            it.connect(address)
            it.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            got = it.recv(100)
            return "reached: " + got.decode() if got else "closed"
    except socket.gaierror: return "ENOTFOUND"
    except TimeoutError: return "ETIMEDOUT"
    except OSError as error: return errno.errorcode.get(error.errno, str(error))
def handler(input):
    return {f"{host} {port}": reach(host, port) for host, port in input["targets"]}
`
export const CONNECTING_NODE = `
import net from 'node:net'
const reach = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 60_000 })
  socket.on('connect', () => socket.write('GET / HTTP/1.0\\r\\n\\r\\n')).on('error', ({ code }) => resolve(code))
  socket.on('data', (chunk) => resolve('reached: ' + chunk)).on('end', () => resolve('closed')).on('timeout', () => resolve('ETIMEDOUT'))
})
export async function execute({ targets }) {
  const found = {}
  for (const [host, port] of targets) found[host + ' ' + port] = await reach(host, port)
  return found
}`

export type Target = readonly [host: string, port: number]
export const REFUSED = [
  'ENETUNREACH',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPIPE',
  'ENOTFOUND',
  'closed',
  // Of names where there is no DNS, and of addresses that mean something on one interface only.
  'EAI_AGAIN',
  'EINVAL',
]

/** Each target is refused, while the allowed name is reached where there is one. */
export function connecting(
  targets: (world: AbuseWorld) => readonly Target[],
  list: ((world: AbuseWorld) => Partial<SessionSpec>) | null,
  held: (ran: AttackRun, world: AbuseWorld) => void | Promise<void> = () => undefined,
): { readonly python: Attack; readonly node: Attack } {
  const attack: Omit<Attack, 'code'> = {
    input: (world: AbuseWorld) => ({ targets: [...targets(world), control(world)] }),
    spec: (world) => list?.(world) ?? {},
    outcome: 'succeeded',
    async held(ran, world) {
      const { [control(world).join(' ')]: reached, ...others } = ran.output as Record<string, string>
      assert.match(
        reached ?? '',
        list === null ? /^(ENOTFOUND|EAI_AGAIN)$/ : /^reached: hello$/,
        'the name that is allowed',
      )
      refused(others, REFUSED)
      assert.equal(world.network.servers.other.connections(), 0, 'a server that is in no list was reached')
      await held(ran, world)
    },
  }
  return { python: { ...attack, code: CONNECTING_PYTHON }, node: { ...attack, code: CONNECTING_NODE } }
}

export const control = ({ network }: AbuseWorld): Target => [network.allowed.name, network.servers.plain.port]
export const allowed = ({ network }: AbuseWorld): Partial<SessionSpec> => ({ network: [network.allowed] })

/** The log of the run tells of it. */
export function told({ logs }: AttackRun, what: RegExp): void {
  const texts = logs.filter(({ stream }) => stream === 'system').map(({ text }) => text)
  assert.match(texts.join('\n'), what)
}
