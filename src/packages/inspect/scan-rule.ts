import type { Finding } from '../../model/packages.ts'

/** What a rule of the code scan is about. What it found this time is said by the finding. */
export interface ScanRule {
  /** `deny`: has no honest use in a skill. `warn`: worth a look by the owner; the sandbox holds it. */
  readonly severity: Finding['severity']
  /** Why it is looked for: for the documentation. */
  readonly why: string
  readonly fix: string
}
