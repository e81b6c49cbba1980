import type { Room } from '../backends/flow-ports.ts'
import { LIMITS } from '../model/sizes.ts'

interface Holder {
  readonly stage: string
  readonly tenant: string
}

/** How much is being sent: in all, to each endpoint and for each tenant. */
export interface Places extends Room {
  free(): number
  take(holder: Holder): void
  /** @returns Whether there was no room before, so that somebody may have been turned away. */
  leave(holder: Holder): boolean
}

export function createPlaces(): Places {
  const byStage = new Map<string, number>()
  const byTenant = new Map<string, number>()
  let all = 0
  const places: Places = {
    free: () => LIMITS.webhookSends - all,
    endpoint: (stage) => LIMITS.webhookEndpointSends - (byStage.get(stage) ?? 0),
    tenant: (id) => LIMITS.webhookTenantSends - (byTenant.get(id) ?? 0),

    full: () => [...byTenant.keys()].filter((id) => places.tenant(id) <= 0),

    take({ stage, tenant }) {
      all++
      add(byStage, stage, 1)
      add(byTenant, tenant, 1)
    },

    leave({ stage, tenant }) {
      const full = places.free() <= 0 || places.endpoint(stage) <= 0 || places.tenant(tenant) <= 0
      all--
      add(byStage, stage, -1)
      add(byTenant, tenant, -1)
      return full
    },
  }
  return places
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
