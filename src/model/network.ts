import { z } from 'zod'

/** One line of a network list: which names a sandbox may reach, and at which ports. */
export interface NetworkEntry {
  /** Lower case, without the wildcard. */
  readonly name: string
  /** Any name under it, at any depth; not the name itself. */
  readonly wildcard: boolean
  readonly ports: readonly number[]
}

/** Of an entry that names no port. */
export const WEB_PORTS: readonly number[] = [80, 443]
/** Entries in one list, and different ports in it: each port is a listener in the sandbox. */
export const NETWORK_ENTRIES = 64
export const NETWORK_PORTS = 16

/**
 * Reads `api.example.com`, `*.example.com` or either with a port, as in `db.example.com:5432`. Null for everything else: the list is held
 * against names, so an address is no entry, and a name of a single label means something else in each network.
 */
export function parseNetworkEntry(text: string): NetworkEntry | null {
  const match = /^(\*\.)?([a-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?$/i.exec(text)
  if (match === null) return null
  const name = match[2]!.toLowerCase()
  const labels = name.split('.')
  const port = match[3] === undefined ? null : Number(match[3])
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label)) || /^[0-9]+$/.test(labels.at(-1)!)) return null
  if (port !== null && (port > 65_535 || port === DNS_PORT)) return null
  return { name, wildcard: match[1] !== undefined, ports: port === null ? WEB_PORTS : [port] }
}

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
/** Names are looked up by the sandbox's own way out. */
const DNS_PORT = 53

/** The entries of a list that was checked before. @throws Error for one that was not. */
export function networkEntries(list: readonly string[]): NetworkEntry[] {
  return list.map((text) => {
    const entry = parseNetworkEntry(text)
    if (entry === null) throw new Error(`"${text}" is no entry of a network list.`)
    return entry
  })
}

/** Whether the entry means this name; `name` in lower case, without the dot at the end. */
export function entryMatches(entry: NetworkEntry, name: string): boolean {
  return entry.wildcard ? name.endsWith(`.${entry.name}`) : name === entry.name
}

/** All ports of a list, each once, in order. */
export function portsOf(entries: readonly NetworkEntry[]): number[] {
  return [...new Set(entries.flatMap(({ ports }) => ports))].toSorted((a, b) => a - b)
}

export const NetworkList = z
  .array(
    z
      .string()
      .max(260)
      .refine((text) => parseNetworkEntry(text) !== null, {
        message:
          'is neither a name such as api.example.com or *.example.com, nor one with a port, as in db.example.com:5432',
      }),
  )
  .max(NETWORK_ENTRIES)
  .refine((list) => portsOf(list.flatMap((text) => parseNetworkEntry(text) ?? [])).length <= NETWORK_PORTS, {
    message: `names more than ${NETWORK_PORTS} different ports`,
  })
  .meta({
    description:
      'Names that the skill may reach, such as `api.example.com` or `*.example.com`, at ports 80 and 443 or at the one that is given: `db.example.com:5432`. Default: none.',
  })
