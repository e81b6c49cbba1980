import { hash } from 'node:crypto'
import type { Authenticator } from '../access/authenticate.ts'
import type { Principal } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { networkOf } from './client-address.ts'
import { type Rate, type RateLimiter, createRateLimiter } from './rate-limit.ts'

export interface ThrottleOptions {
  /** What one key, or one subject of a token, may send. Null: as much as it wants. Default 2,000 a second, 4,000 at once. */
  readonly rateLimit?: Rate | null | undefined
  /** What one client address may send that fails to authenticate. Null: as much as it wants. Default 20 a second, 100 at once. */
  readonly failureLimit?: Rate | null | undefined
}

export interface Throttle {
  /** @throws SkilletError as Authenticator.authenticate does; RateLimited */
  authenticate(header: string | undefined, client: string | null): Promise<Principal>
}

const PER_KEY: Rate = { perSecond: 2000, burst: 4000 }
const PER_CLIENT: Rate = { perSecond: 20, burst: 100 }

/** How many credentials are remembered to be good. */
const PROVEN = 10_000

/** Authenticates, and refuses whoever sends too much: each key by itself, and those without a good one by where they come from. */
export function createThrottle(auth: Pick<Authenticator, 'authenticate'>, options: ThrottleOptions = {}): Throttle {
  const { rateLimit = PER_KEY, failureLimit = PER_CLIENT } = options
  const requests = rateLimit === null ? null : createRateLimiter(rateLimit)
  const failures = failureLimit === null ? null : createRateLimiter(failureLimit)
  // Behind one address many may work, so whoever came with this credential before is let in however many others guess there.
  const proven = new Set<string>()

  return {
    async authenticate(header, client) {
      const principal = failures === null ? await auth.authenticate(header) : await attempt(failures, header, client)
      const key = `${principal.tenant} ${principal.id}`
      if (requests?.take(key) === false) throw requests.refusal(key, 'This key sends too many requests.')
      return principal
    },
  }

  async function attempt(limiter: RateLimiter, header: string | undefined, client: string | null): Promise<Principal> {
    const from = client === null ? '' : networkOf(client)
    const credential = hash('sha256', header ?? '')
    const tooMany = () => limiter.refusal(from, 'Too many requests without a valid key came from this address.')
    // A guess is not even looked up, so that guessing is slow.
    if (!proven.has(credential) && !limiter.has(from)) throw tooMany()
    try {
      const principal = await auth.authenticate(header)
      if (!proven.has(credential)) {
        if (proven.size >= PROVEN) proven.delete(proven.keys().next().value!)
        proven.add(credential)
      }
      return principal
    } catch (error) {
      if (!isRefusal(error)) throw error
      proven.delete(credential)
      // Many at once may have found something left.
      if (!limiter.take(from)) throw tooMany()
      throw error
    }
  }
}

/** What is the caller's doing, and no fault of ours or of an issuer. */
const isRefusal = (error: unknown): boolean =>
  error instanceof SkilletError && (error.code === 'unauthenticated' || error.code === 'tenant_suspended')
