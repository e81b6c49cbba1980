/** Lets so many through at once; the others wait in the order in which they came. */
export interface Gate {
  /** @returns What to call when done, once. @throws the signal's reason */
  enter(signal: AbortSignal): Promise<() => void>
}

export function createGate(places: number): Gate {
  let inside = 0
  const waiting = new Set<() => void>()
  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) inside--
    else {
      waiting.delete(next)
      next()
    }
  }
  return {
    async enter(signal) {
      signal.throwIfAborted()
      if (inside < places) {
        inside++
        return leave
      }
      return await new Promise((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', give)
          resolve(leave)
        }
        const give = (): void => {
          waiting.delete(enter)
          reject(signal.reason as Error)
        }
        waiting.add(enter)
        signal.addEventListener('abort', give, { once: true })
      })
    },
  }
}
