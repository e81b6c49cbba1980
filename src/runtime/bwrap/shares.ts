import type { Entry } from './contender.ts'

/** How much of the processors each of the runs gets that let others go first. */
export interface Shares {
  /** In CPUs' worth of time; Infinity while nothing need be held. */
  each(): number
  /** Looks at what they took. @returns Whether that changes their share. */
  adjust(now: number, going: Iterable<Entry>): boolean
}

/** Processors that stay free for those that come, as a multiple of the root of how many there are: the more, the evener the load. */
const FREE = 0.5
/** Milliseconds for which is counted who takes what. */
const WINDOW_MS = 500
/** Of its share: who takes less does not want it. */
const WANTED = 0.5
/** A change of the share that is smaller is none. */
const NOTICED = 1.2

/**
 * The kernel owes each that waits for a processor some time on it, whatever its weight, and pays before a newcomer is let on. So not all of
 * them may wait at once: each has its share by itself, and is out of the way when it has had it. What some do not take the others get.
 */
export function createShares(cores: number): Shares {
  let each = Infinity
  let counted = 0
  let since = 0
  /** What they had taken when the window began. */
  let marks = new Map<Entry, number>()

  function wanting(entry: Entry, passed: number): boolean {
    const mark = marks.get(entry)
    return mark === undefined || each === Infinity || entry.seen - mark > WANTED * each * passed
  }

  return {
    each: () => each,
    adjust(now, going) {
      const behind = [...going].filter((entry) => entry.behind)
      if (now - since < WINDOW_MS && behind.length <= counted * NOTICED) return false
      const many = behind.filter((entry) => wanting(entry, now - since)).length
      const next = many > cores ? (cores - FREE * Math.sqrt(cores)) / many : Infinity
      counted = behind.length
      since = now
      marks = new Map(behind.map((entry) => [entry, entry.seen]))
      if (next === each || (next < each * NOTICED && next > each / NOTICED)) return false
      each = next
      return true
    },
  }
}
