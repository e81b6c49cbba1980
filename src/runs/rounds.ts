/** Hints may get lost between processes, so whoever waits for one looks again now and then. */
export interface Rounds {
  /** @param look Called again and again, each time that it is its turn. @returns The function that leaves. */
  join(look: () => void): () => void
}

/**
 * One timer for all who wait, however many: it tells them in turn, so many at a time, so that 5,000 who wait cost no more than fifty.
 * Stands still while nobody waits, and keeps no process alive.
 */
export function createRounds({ everyMs, atOnce }: { everyMs: number; atOnce: number }): Rounds {
  // In the order of their turns.
  const waiting = new Map<object, () => void>()
  let timer: NodeJS.Timeout | undefined

  function round(): void {
    const next = [...waiting].slice(0, atOnce)
    for (const [key, look] of next) {
      waiting.delete(key)
      waiting.set(key, look)
    }
    // Last, for who looks may leave.
    for (const [, look] of next) look()
  }

  return {
    join(look) {
      const key = {}
      waiting.set(key, look)
      timer ??= setInterval(round, everyMs).unref()
      return () => {
        waiting.delete(key)
        if (waiting.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}

/** Of this process: up to fifty look again every second; of more, each waits for its turn. */
export const ROUNDS: Rounds = createRounds({ everyMs: 1000, atOnce: 50 })
