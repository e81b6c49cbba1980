/** So many a second, and a burst of them. */
export interface TokenBucket {
  /** Takes one if there is one. */
  take(): boolean
  /** Milliseconds until there is one. */
  wait(): number
  /** Takes as many as it is told, also those that are not there yet. @returns Milliseconds until they are. */
  charge(tokens: number): number
}

/** @param now In milliseconds. */
export function createTokenBucket(
  perSecond: number,
  burst: number,
  now: () => number = () => performance.now(),
): TokenBucket {
  let tokens = burst
  let filledAt = now()
  const fill = (): void => {
    const at = now()
    tokens = Math.min(burst, tokens + ((at - filledAt) * perSecond) / 1000)
    filledAt = at
  }
  return {
    take() {
      fill()
      if (tokens < 1) return false
      tokens--
      return true
    },
    wait() {
      fill()
      return tokens >= 1 ? 0 : ((1 - tokens) / perSecond) * 1000
    },
    charge(wanted) {
      fill()
      tokens -= wanted
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000
    },
  }
}
