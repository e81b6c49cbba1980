import type { Ending } from '../backends/run-ports.ts'
import type { RetryPolicy, RetryReason } from '../model/skills.ts'

/** What follows an attempt: another one in so many milliseconds, or the end. */
export type AfterAttempt =
  | { readonly retryMs: number; readonly deadLetter: false }
  | { readonly retryMs: null; readonly deadLetter: boolean }

/**
 * @param policy None: nothing is tried again, and what failed is no dead letter, for nobody looks for those.
 * @param retries How often this run was tried again before.
 * @param random From 0 up to 1.
 */
export function afterAttempt(
  policy: RetryPolicy | undefined,
  { status, reason }: Pick<Ending, 'status' | 'reason'>,
  retries: number,
  random: () => number = Math.random,
): AfterAttempt {
  if (policy === undefined || policy.attempts === 1 || status !== 'failed') return { retryMs: null, deadLetter: false }
  const again = retries + 1 < policy.attempts && policy.reasons.includes(reason as RetryReason)
  return again ? { retryMs: waitOf(policy, retries, random()), deadLetter: false } : { retryMs: null, deadLetter: true }
}

/** Exponential, and up to half of it left out by chance: runs that failed together do not come back together. */
function waitOf({ backoff_s, factor, max_backoff_s }: RetryPolicy, retries: number, chance: number): number {
  const whole = Math.min(backoff_s * factor ** retries, max_backoff_s) * 1000
  return Math.round(whole * (1 - chance / 2))
}
