/** What was found out lately and need not be asked again for a while. */
export interface Memory<T extends object> {
  /**
   * What is remembered, or else what `find` finds. What `find` throws is not remembered.
   * @param until When what was found ceases to hold, in milliseconds since 1970; it is remembered no longer than that.
   */
  get(key: string, find: () => Promise<{ value: T; until: number }>): Promise<T>
  /** Also what is being looked up just now will not be remembered: it may be what was so a moment ago. */
  forget(which: (value: T) => boolean): void
}

/** How many things are remembered at most; the oldest go first. */
const MOST = 10_000

/** @param options.ms How long things are remembered. */
export function createMemory<T extends object>(options: { ms: number; clock: () => number }): Memory<T> {
  const { ms, clock } = options
  const known = new Map<string, { value: T; until: number }>()
  let forgotten = 0

  return {
    async get(key, find) {
      const present = known.get(key)
      if (present !== undefined) {
        if (present.until > clock()) return present.value
        known.delete(key)
      }
      const before = forgotten
      const { value, until } = await find()
      if (before !== forgotten) return value
      if (known.size >= MOST) known.delete(known.keys().next().value!)
      known.set(key, { value, until: Math.min(clock() + ms, until) })
      return value
    },

    forget(which) {
      forgotten++
      for (const [key, { value }] of known) if (which(value)) known.delete(key)
    },
  }
}
