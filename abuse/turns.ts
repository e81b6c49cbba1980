/** Passes that are at work at the same time take turns with what wants the machine for itself. */
export interface Turns {
  /** Resolves when no other pass is at work. From then on no other is until `over`. */
  readonly taken: () => Promise<void>
  /** A pass has ended, whether it asked for a turn or not. */
  readonly over: () => void
}

/** @param passes How many are at work now. */
export function createTurns(passes: number): Turns {
  let working = passes
  const waiting: (() => void)[] = []
  const left = (): void => {
    working--
    if (working > 0) return
    const next = waiting.shift()
    if (next === undefined) return
    working++
    next()
  }
  return {
    taken() {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push(resolve)
      left()
      return promise
    },
    over: left,
  }
}
