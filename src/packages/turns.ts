import { createFairLine } from '../threads/fair-line.ts'

/** Lets so many work at once. Tenants that wait take turns, those first that have the least under way: a hundred packages of one are not the wait of all. */
export interface Turns {
  /** @returns What to call when done, once. @throws the signal's reason */
  enter(tenant: string, signal: AbortSignal): Promise<() => void>
}

export function createTurns(places: number): Turns {
  const line = createFairLine<() => void>(places)
  let free = places

  function next(): void {
    while (free > 0) {
      const begin = line.next()
      if (begin === null) return
      free--
      begin()
    }
  }

  return {
    async enter(tenant, signal) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', give)
          resolve()
        }
        const give = (): void => {
          line.remove(tenant, begin)
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', give, { once: true })
        line.add(tenant, begin)
        next()
      })
      return () => {
        line.done(tenant)
        free++
        next()
      }
    },
  }
}
