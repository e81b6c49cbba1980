import type { DeniedAttempt } from '../egress/egress.ts'

/** Attempts that were refused, alike ones counted together; only so many different ones. */
export interface DeniedList {
  readonly add: (attempt: DeniedAttempt) => void
  list(): DeniedAttempt[]
}

export function createDeniedList(): DeniedList {
  const seen = new Map<string, DeniedAttempt>()
  return {
    add(attempt) {
      const key = `${attempt.host} ${attempt.port} ${attempt.why}`
      const before = seen.get(key)
      if (before === undefined && seen.size >= MOST) return
      seen.set(key, { ...attempt, times: attempt.times + (before?.times ?? 0) })
    },
    list: () => [...seen.values()],
  }
}

const MOST = 20
