import type { DenialReason } from './egress.ts'

/** A connection that is not forwarded. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly why: DenialReason

  constructor(why: DenialReason, options?: { cause: unknown }) {
    super(`refused: ${why}`, options)
    this.why = why
  }
}
