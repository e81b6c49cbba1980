import { setImmediate } from 'node:timers/promises'

let last: Promise<void> = Promise.resolve()

/**
 * For work that takes long in all, between two steps of some milliseconds: whatever else waits goes first. However many are at such work at
 * once, one of them has a step in each turn of the event loop, each in turn: or the steps of all of them would be one long one.
 */
export function sharedTurn(): Promise<void> {
  last = last.then(() => setImmediate())
  return last
}
