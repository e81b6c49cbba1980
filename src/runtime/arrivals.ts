import type { Ask } from './members.ts'

/** Sessions on their way to being idle: worth waiting for instead of making another. */
export interface Arrivals {
  /** @param what.variant Of the secrets that it saw; null: none. */
  track(
    what: { readonly deployment: string; readonly reach: string; readonly variant: string | null },
    work: Promise<void>,
  ): Promise<void>
  /**
   * Waits for a session that might serve. One that comes is promised to nobody: look again.
   * @returns False, at once, where none is on its way that nobody waits for yet. @throws the signal's reason.
   */
  next(ask: Ask, signal?: AbortSignal): Promise<boolean>
  /** Until none is on its way. */
  all(): Promise<void>
}

interface Arrival {
  readonly reach: string
  readonly variant: string | null
  readonly done: Promise<void>
}

export function createArrivals(): Arrivals {
  const coming = new Map<string, Set<Arrival>>()
  const waiting = new Map<string, number>()

  return {
    track({ deployment, reach, variant }, work) {
      const set = coming.get(deployment) ?? new Set()
      coming.set(deployment, set)
      const done = work.finally(() => {
        set.delete(arrival)
        if (set.size === 0 && coming.get(deployment) === set) coming.delete(deployment)
      })
      const arrival: Arrival = { reach, variant, done }
      set.add(arrival)
      return done
    },

    async next({ deployment, reach, variant }, signal) {
      const fitting = [...(coming.get(deployment.id) ?? [])].filter(
        (arrival) => arrival.reach === reach && (arrival.variant === null || arrival.variant === variant),
      )
      const others = waiting.get(deployment.id) ?? 0
      if (fitting.length <= others) return false
      waiting.set(deployment.id, others + 1)
      const aborted = Promise.withResolvers<never>()
      const abort = (): void => aborted.reject(signal!.reason)
      signal?.addEventListener('abort', abort, { once: true })
      try {
        await Promise.race([...fitting.map(({ done }) => done), aborted.promise])
      } finally {
        signal?.removeEventListener('abort', abort)
        const left = waiting.get(deployment.id)! - 1
        if (left === 0) waiting.delete(deployment.id)
        else waiting.set(deployment.id, left)
      }
      return true
    },

    async all() {
      while (coming.size > 0) await Promise.all([...coming.values()].flatMap((set) => [...set].map(({ done }) => done)))
    },
  }
}
