import { SkilletError } from '../model/errors.ts'

export interface Rate {
  /** Requests a second that go on for ever. */
  readonly perSecond: number
  /** Requests that may come at once after a quiet while. */
  readonly burst: number
}

/** Counts requests by who sends them. */
export interface RateLimiter {
  /** Takes one request from what is left. @returns false, and takes nothing, when nothing is left. */
  take(key: string): boolean
  /** Whether something is left, without taking it. */
  has(key: string): boolean
  /** What a caller is told that has nothing left. */
  refusal(key: string, detail: string): RateLimited
}

/** Told apart from other errors by the headers that go with it. */
export class RateLimited extends SkilletError {
  readonly headers: Readonly<Record<string, string>>

  constructor(detail: string, headers: Record<string, string>) {
    super('rate_limited', detail)
    this.headers = headers
  }
}

interface Bucket {
  left: number
  at: number
}

/** How many callers are remembered; whoever was silent for longest is forgotten, and so has a full bucket again. */
const MOST = 10_000

/**
 * Token buckets in memory, filled up when they are looked at.
 * @param options.clock Milliseconds that only ever grow.
 */
export function createRateLimiter(
  rate: Rate,
  { most = MOST, clock = () => performance.now() }: { most?: number; clock?: () => number } = {},
): RateLimiter {
  const { perSecond, burst } = rate
  const buckets = new Map<string, Bucket>()

  const leftOf = (bucket: Bucket | undefined): number =>
    bucket === undefined ? burst : Math.min(burst, bucket.left + ((clock() - bucket.at) / 1000) * perSecond)

  return {
    take(key) {
      const bucket = buckets.get(key)
      const left = leftOf(bucket)
      if (left < 1) return false
      // Taken out and put in again, so that the first of the map is the one that was silent for longest.
      if (bucket !== undefined) buckets.delete(key)
      else if (buckets.size >= most) buckets.delete(buckets.keys().next().value!)
      buckets.set(key, { left: left - 1, at: clock() })
      return true
    },

    has: (key) => leftOf(buckets.get(key)) >= 1,

    refusal(key, detail) {
      const left = leftOf(buckets.get(key))
      const seconds = Math.max(1, Math.ceil((1 - left) / perSecond))
      return new RateLimited(detail, {
        'retry-after': String(seconds),
        'ratelimit-policy': `"requests";q=${perSecond};w=1`,
        ratelimit: `"requests";r=0;t=${seconds}`,
      })
    },
  }
}
