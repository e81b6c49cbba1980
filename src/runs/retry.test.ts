import { describe, expect, test } from 'vitest'
import { RetryPolicy } from '../model/skills.ts'
import { type AfterAttempt, afterAttempt } from './retry.ts'

const FAILED = { status: 'failed', reason: 'runtime_error' } as const
const OVER: AfterAttempt = { retryMs: null, deadLetter: false }
const DEAD: AfterAttempt = { retryMs: null, deadLetter: true }
const policyOf = (policy: unknown): RetryPolicy => RetryPolicy.parse(policy)
const longest = (): number => 0
const shortest = (): number => 1

describe('after an attempt', () => {
  test('each wait is longer than the one before, up to the longest; then the run is a dead letter', () => {
    const policy = policyOf({ attempts: 6, backoff_s: 2, factor: 3, max_backoff_s: 40 })
    const waits = [0, 1, 2, 3, 4, 5].map((retries) => afterAttempt(policy, FAILED, retries, longest).retryMs)
    expect(waits).toEqual([2000, 6000, 18_000, 40_000, 40_000, null])
    expect(afterAttempt(policy, FAILED, 5)).toEqual(DEAD)
  })

  test('chance leaves out up to half of a wait', () => {
    const policy = policyOf({ attempts: 2, backoff_s: 10 })
    expect(afterAttempt(policy, FAILED, 0, shortest).retryMs).toBe(5000)
    const waits = Array.from({ length: 200 }, () => afterAttempt(policy, FAILED, 0).retryMs!)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000)
    expect(new Set(waits).size).toBeGreaterThan(100)
  })

  test('a wait may be nothing', () => {
    expect(afterAttempt(policyOf({ attempts: 2, backoff_s: 0 }), FAILED, 0).retryMs).toBe(0)
  })

  test('without a policy, or with one attempt, a failure is the end and no dead letter', () => {
    expect(afterAttempt(undefined, FAILED, 0)).toEqual(OVER)
    expect(afterAttempt(policyOf({ attempts: 1 }), FAILED, 0)).toEqual(OVER)
  })

  test('what succeeded or was cancelled is over', () => {
    const policy = policyOf({ attempts: 5 })
    expect(afterAttempt(policy, { status: 'succeeded', reason: null }, 1)).toEqual(OVER)
    expect(afterAttempt(policy, { status: 'cancelled', reason: null }, 1)).toEqual(OVER)
  })

  test('reasons that are not of the policy are not tried again: the run failed for good', () => {
    const policy = policyOf({ attempts: 5, reasons: ['timeout'] })
    expect(afterAttempt(policy, FAILED, 0)).toEqual(DEAD)
    expect(afterAttempt(policy, { status: 'failed', reason: 'timeout' }, 0, longest).retryMs).toBe(1000)
    expect(afterAttempt(policyOf({ attempts: 5 }), { status: 'failed', reason: 'validation_error' }, 0)).toEqual(DEAD)
  })
})

describe('a policy', () => {
  test.each<[unknown, string | undefined]>([
    [{ attempts: 0 }, 'attempts'],
    [{ attempts: 11 }, 'attempts'],
    [{ attempts: 2, reasons: [] }, 'reasons'],
    // No attempt can mend what it was given, or a stage that serves nothing; a lost worker is not its business.
    ...['validation_error', 'input_invalid', 'stage_not_active', 'worker_lost'].map((reason): [unknown, string] => [
      { attempts: 2, reasons: [reason] },
      'reasons',
    ]),
    [{ attempts: 2, backoff_s: 600 }, 'max_backoff_s'],
    [{ attempts: 2, delay: 1 }, undefined],
  ])('%j is refused', (policy, place) => {
    const { error } = RetryPolicy.safeParse(policy)
    expect(error?.issues.map(({ path }) => path[0])).toEqual([place])
  })
})
