/** Whether another process is there at all. */
export interface Pulse {
  /** Asks, unless it was asked already. @returns False when it does not say so in time. */
  ask(): Promise<boolean>
  /** It said so. */
  beat(): void
}

/** @param ms How long it has. */
export function createPulse(ping: () => void, ms: number): Pulse {
  let asked: PromiseWithResolvers<boolean> | null = null
  function settle(there: boolean): void {
    asked?.resolve(there)
    asked = null
  }
  return {
    ask() {
      if (asked !== null) return asked.promise
      asked = Promise.withResolvers()
      const { promise } = asked
      const timer = setTimeout(() => settle(false), ms)
      void promise.then(() => clearTimeout(timer))
      ping()
      return promise
    },
    beat: () => settle(true),
  }
}
