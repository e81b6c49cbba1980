import { type NetworkEntry, entryMatches } from '../../model/network.ts'

/** The names of one sandbox, and the addresses by which it knows them. */
export interface Names {
  /** Whether the list has the name; in lower case. */
  listed(name: string): boolean
  /** Whether the list has the name with this port. */
  allows(name: string, port: number): boolean
  /** The same for as long as the sandbox lives. Null: it has had too many names. */
  addressOf(name: string): string | null
  /** Null: no name has it. */
  nameAt(address: string): string | null
}

/** @param most Names that get an address; at most 65,535. */
export function createNames(entries: readonly NetworkEntry[], most: number): Names {
  const given: string[] = []
  const numbers = new Map<string, number>()
  return {
    listed: (name) => isName(name) && entries.some((entry) => entryMatches(entry, name)),
    allows: (name, port) => entries.some((entry) => entryMatches(entry, name) && entry.ports.includes(port)),
    addressOf(name) {
      let number = numbers.get(name)
      if (number === undefined) {
        if (given.length >= most) return null
        number = given.push(name)
        numbers.set(name, number)
      }
      return `127.77.${number >> 8}.${number & 255}`
    },
    nameAt(address) {
      const match = /^127\.77\.(\d{1,3})\.(\d{1,3})$/.exec(address)
      return match === null ? null : (given[Number(match[1]) * 256 + Number(match[2]) - 1] ?? null)
    },
  }
}

/** What is looked up out here by a wildcard's grace is a name like others, whatever bytes the query had. */
function isName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label))
}
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
