import { isIP } from 'node:net'
import { NETWORK_ENTRIES, NETWORK_PORTS, type NetworkEntry, networkEntries, portsOf } from '../model/network.ts'
import type { Connection } from '../model/secrets.ts'

/** What a run may reach because of the connections that it is given. */
export interface ConnectionNetwork {
  /** Exact names, each with one port. */
  readonly network: readonly NetworkEntry[]
  /** For the log of the run: which connections lead nowhere, and why. Never with anything of their values. */
  readonly unreachable: readonly string[]
}

/** @param listed The network list of the deployment, which the connections join (DESIGN 9). */
export function networkOf(
  connections: Readonly<Record<string, Connection>>,
  listed: readonly string[],
): ConnectionNetwork {
  const all = networkEntries(listed)
  const network: NetworkEntry[] = []
  const unreachable: string[] = []
  for (const [name, connection] of Object.entries(connections)) {
    const entry = entryOf(connection)
    const problem = typeof entry === 'string' ? entry : tooMany([...all, entry])
    if (problem !== null || typeof entry === 'string') {
      unreachable.push(`The connection ${name} cannot be reached: ${problem}.`)
      continue
    }
    all.push(entry)
    network.push(entry)
  }
  return { network, unreachable }
}

/** @returns What the connection needs, or why it cannot have it. */
function entryOf({ protocol, host, port: given }: Connection): NetworkEntry | string {
  const name = host.replace(/\.$/, '')
  // A last label of digits makes an address of the whole, in whichever of its spellings.
  if (isIP(name) !== 0 || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name)) {
    return 'its URL names an address, and sandboxes reach hosts by their names only'
  }
  if (name.length > 253 || !name.split('.').every((label) => LABEL.test(label))) return 'its URL names no valid host'
  const port = given ?? DEFAULT_PORTS.get(protocol)
  if (port === undefined) return 'its URL names no port, and its scheme has none that is usual'
  if (port === 0 || port === DNS_PORT) return `its URL names port ${port}, which sandboxes cannot reach`
  return { name, wildcard: false, ports: [port] }
}

function tooMany(entries: readonly NetworkEntry[]): string | null {
  if (entries.length > NETWORK_ENTRIES) return `with the network list, a run may reach ${NETWORK_ENTRIES} names`
  return portsOf(entries).length > NETWORK_PORTS ? `with the network list, a run may use ${NETWORK_PORTS} ports` : null
}

/** Names inside a company may be single labels, and have underscores. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const DNS_PORT = 53

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
  ['ftp', 21],
  ['ssh', 22],
  ['sftp', 22],
  ['smtp', 25],
  ['smtps', 465],
  ['imap', 143],
  ['imaps', 993],
  ['ldap', 389],
  ['ldaps', 636],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['mariadb', 3306],
  ['mssql', 1433],
  ['sqlserver', 1433],
  ['mongodb', 27017],
  ['redis', 6379],
  ['rediss', 6379],
  ['amqp', 5672],
  ['amqps', 5671],
  ['mqtt', 1883],
  ['mqtts', 8883],
  ['nats', 4222],
])
