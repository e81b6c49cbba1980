/** What takes long to make is made once for all who wait for it. */
export interface Builds {
  /**
   * Joins whoever builds the same just now. A client that goes away leaves the work to go on: what was made for it is there when it comes again.
   * @param key What makes two of them the same: who may see what.
   */
  of(key: string, signal: AbortSignal, build: () => Promise<string>): Promise<string>
}

export function createBuilds(): Builds {
  const running = new Map<string, Promise<string>>()

  return {
    async of(key, signal, build) {
      signal.throwIfAborted()
      const work = running.get(key) ?? build().finally(() => running.delete(key))
      running.set(key, work)
      const { promise: gone, reject } = Promise.withResolvers<never>()
      const leave = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', leave)
      try {
        return await Promise.race([work, gone])
      } finally {
        signal.removeEventListener('abort', leave)
        // Of those who left nobody is told; whoever asks again is.
        work.catch(() => {})
      }
    },
  }
}
