import { LIMITS } from '../../model/sizes.ts'
import { RateLimited } from '../../http/rate-limit.ts'
import { createShares } from '../../http/shares.ts'

/** Requests that are being answered and may take long. */
export interface InFlight {
  /**
   * @param sender Whoever may cancel it.
   * @throws RateLimited when the tenant has as many as it may.
   */
  begin(tenant: string, sender: string, requestId: unknown): { readonly cancelled: AbortSignal; end(): void }
  /** The sender does not want the answer any more. What two requests may be meant by cancels neither. */
  cancel(sender: string, requestId: unknown): void
}

/** @param perTenant Default LIMITS.streamsPerTenant. */
export function createInFlight(perTenant: number = LIMITS.streamsPerTenant): InFlight {
  const shares = createShares()
  const open = new Map<string, Set<AbortController>>()

  return {
    begin(tenant, sender, requestId) {
      if (shares.of(tenant) >= perTenant) {
        const detail = `The tenant has ${perTenant} requests of this kind open, which is as many as it may: close some.`
        throw new RateLimited(detail, { 'retry-after': '5' })
      }
      const giveBack = shares.take(tenant, 1)
      const controller = new AbortController()
      const key = keyOf(sender, requestId)
      const same = open.get(key) ?? new Set()
      open.set(key, same.add(controller))
      return {
        cancelled: controller.signal,
        end() {
          giveBack()
          same.delete(controller)
          if (same.size === 0 && open.get(key) === same) open.delete(key)
        },
      }
    },

    cancel(sender, requestId) {
      const found = [...(open.get(keyOf(sender, requestId)) ?? [])]
      if (found.length === 1) found[0]!.abort()
    },
  }
}

/** The ids of requests may be numbers or texts, and 1 is not "1". */
const keyOf = (sender: string, requestId: unknown): string => JSON.stringify([sender, requestId])
