import { type NetworkEntry, networkEntries } from '../model/network.ts'
import type { Deployment } from '../model/skills.ts'
import type { Ask } from './members.ts'

/** What a run of the deployment needs of a session: it may reach what the deployment lists, and what is given besides. */
export function askOf(
  deployment: Deployment,
  { variant = '', network: extras = [] }: { readonly variant?: string; readonly network?: readonly NetworkEntry[] },
): Ask {
  const network = joined([...networkEntries(deployment.config.network), ...extras])
  return { deployment, variant, network, reach: network.map(textOf).join(' ') }
}

/** Each name once, with all its ports, in an order of their own. */
function joined(entries: readonly NetworkEntry[]): NetworkEntry[] {
  const byName = new Map<string, NetworkEntry>()
  for (const entry of entries) {
    const key = `${entry.wildcard ? '*.' : ''}${entry.name}`
    const ports = new Set([...(byName.get(key)?.ports ?? []), ...entry.ports])
    byName.set(key, { ...entry, ports: [...ports].toSorted((a, b) => a - b) })
  }
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

const textOf = ({ name, wildcard, ports }: NetworkEntry): string => `${wildcard ? '*.' : ''}${name}:${ports.join(',')}`
