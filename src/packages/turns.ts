/** Lets so many work at once. Of those that wait, the tenant that has the least under way goes first: a hundred packages of one are not the wait of all. */
export interface Turns {
  /** @returns What to call when done, once. @throws the signal's reason */
  enter(tenant: string, signal: AbortSignal): Promise<() => void>
}

interface Waiting {
  readonly tenant: string
  readonly enter: () => void
}

export function createTurns(places: number): Turns {
  const line = new Set<Waiting>()
  const working = new Map<string, number>()
  let taken = 0

  function count(tenant: string, more: 1 | -1): void {
    taken += more
    const now = (working.get(tenant) ?? 0) + more
    if (now === 0) working.delete(tenant)
    else working.set(tenant, now)
  }

  const under = ({ tenant }: Waiting): number => working.get(tenant) ?? 0

  function next(): void {
    while (taken < places && line.size > 0) {
      let first: Waiting | null = null
      for (const one of line) if (first === null || under(one) < under(first)) first = one
      line.delete(first!)
      count(first!.tenant, 1)
      first!.enter()
    }
  }

  return {
    async enter(tenant, signal) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const give = (): void => {
          // It has its turn already, and is about to hear of it.
          if (line.delete(waiting)) reject(signal.reason as Error)
        }
        const waiting = {
          tenant,
          enter() {
            signal.removeEventListener('abort', give)
            resolve()
          },
        }
        signal.addEventListener('abort', give, { once: true })
        line.add(waiting)
        next()
      })
      return () => {
        count(tenant, -1)
        next()
      }
    },
  }
}
