import { deniedLine } from '../egress/denied-line.ts'
import type { DeniedAttempt } from '../egress/egress.ts'

/** Attempts that were refused, in the log of one run: the first ones as lines, the others as a number when it ends. */
export interface DeniedNotes {
  add(attempt: DeniedAttempt): void
  end(): void
}

export function createDeniedNotes(note: (text: string) => void): DeniedNotes {
  let lines = 0
  let others = 0
  return {
    add(attempt) {
      if (lines++ < MOST) note(deniedLine(attempt))
      else others += attempt.times
    },
    end() {
      if (others > 0) note(`network: ${others} more attempts were refused; the log of a run has lines for ${MOST}`)
    },
  }
}

/** What a run writes itself has to fit into its log, too. */
const MOST = 100
