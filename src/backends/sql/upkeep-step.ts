import type { SweepStep } from '../upkeep-ports.ts'
import type { Database, Transaction, Value } from './database.ts'

/** How many are looked at in a step, at the most. */
export const STEP = 200

/** A step removes until this many milliseconds are over, so that whoever waits for the next transaction does not wait long. */
const STEP_MS = 6

/**
 * Removes candidates one after the other, in one transaction, as far as the time allows; the first in any case.
 * @param candidates In their order; fewer than STEP are the last ones.
 * @param keyOf What the next step goes on after.
 * @param remove Decides, too: a candidate may have changed since it was found. @returns How many things are gone.
 */
export async function removeInTurn<T>(
  db: Database,
  candidates: readonly T[],
  keyOf: (candidate: T) => string,
  remove: (t: Transaction, candidate: T) => Promise<number | boolean>,
): Promise<SweepStep> {
  if (candidates.length === 0) return { removed: 0, next: null }
  return db.tx(async (t) => {
    const until = performance.now() + STEP_MS
    let [removed, looked] = [0, 0]
    for (const candidate of candidates) {
      if (looked > 0 && performance.now() >= until) break
      removed += Number(await remove(t, candidate))
      looked++
    }
    const ended = looked === candidates.length && looked < STEP
    return { removed, next: ended ? null : keyOf(candidates[looked - 1]!) }
  })
}

/** Whether a statement that returns what it removed has removed anything. */
export async function gone(t: Transaction, sql: string, ...values: Value[]): Promise<boolean> {
  return (await t.query(sql, ...values)).length > 0
}
