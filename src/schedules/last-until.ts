import type { Instants } from './instants.ts'

const MINUTE_MS = 60_000

/**
 * The last instant that is not after `until`, of those after `from`; null: there is none. Looks back twice as far each time and halves what
 * is left: some dozens of questions however long ago it was and however many instants lie between.
 */
export function lastUntil(instants: Instants, until: number, from: number): number | null {
  const reached = (since: number): number | null => {
    const at = instants.after(since)
    return at !== null && at <= until ? at : null
  }
  // Nothing lies between `high` and `until`; `found` is the latest that is known of.
  let high = until
  let found: number | null = null
  for (let back = MINUTE_MS; found === null; back *= 2) {
    const since = Math.max(until - back, from)
    found = reached(since)
    if (found === null && since === from) return null
    if (found === null) high = since
  }
  while (high - found > MINUTE_MS) {
    const middle = Math.floor((found + high) / 2)
    const later = reached(middle)
    if (later === null) high = middle
    else found = later
  }
  for (let later = reached(found); later !== null; later = reached(found)) found = later
  return found
}
