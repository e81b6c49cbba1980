/** One thing that the doctor looked at. */
export interface DoctorCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** What an operator can do; null when there is nothing to be done. */
  readonly fix: string | null
}
