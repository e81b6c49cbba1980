import { type AuditEvent, NO_HASH, auditHash } from './audit.ts'

/** The end of a chain: what its last row must be. */
export interface ChainHead {
  readonly seq: number
  readonly hash: string
}

/** Before the first row. */
export const CHAIN_START: ChainHead = { seq: 0, hash: NO_HASH }

/**
 * Follows a tenant's audit log row by row, oldest first, and holds no more than its end.
 * It finds rows that were edited, removed, added or moved; rows that are missing at the end are found by
 * comparing its end with one that was kept elsewhere.
 */
export class AuditChain {
  #head = CHAIN_START

  get head(): ChainHead {
    return this.#head
  }

  /** What is wrong with the next row; null when it fits. A chain that is broken stays where it broke. */
  add(event: AuditEvent): string | null {
    const { seq, hash, previous } = event
    const expected = this.#head.seq + 1
    if (seq !== expected) {
      return seq > expected
        ? `row ${expected} is missing before row ${seq}`
        : `row ${seq} comes again, or out of order, where row ${expected} belongs`
    }
    if (previous !== this.#head.hash)
      return `row ${seq} does not follow from the row before it: one of the two was changed`
    if (auditHash(event) !== hash) return `row ${seq} was changed: it does not have the hash that it carries`
    this.#head = { seq, hash }
    return null
  }
}
