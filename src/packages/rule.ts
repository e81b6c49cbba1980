import type { Finding } from '../model/packages.ts'

/** One rule of the validator. Each finding says what was found; this says why it matters and what to do. */
export interface Rule {
  readonly severity: Finding['severity']
  readonly why: string
  readonly fix: string
}
