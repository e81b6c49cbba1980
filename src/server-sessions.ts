import { SIZES } from './model/sizes.ts'
import { admittedTools } from './runtime/admitted-tools.ts'
import type { BundleCache } from './runtime/bundles.ts'
import type { Driver } from './runtime/driver.ts'
import { type NetworkGate, createNetworkGate } from './runtime/network-gate.ts'
import { createSessionPool } from './runtime/pool.ts'
import { Room } from './runtime/room.ts'
import type { PoolObserver, SessionPool } from './runtime/session-pool.ts'
import type { ServerOptions } from './server-options.ts'

/** What runs what strangers wrote: the sessions and the tools of packages, in one room. */
export function openSessions(
  parts: {
    readonly driver: Driver
    readonly bundles: BundleCache
    /** That there is. */
    readonly memory_mb: number
    readonly observer: PoolObserver
    readonly info: (message: string, fields: object) => void
    readonly onError: (error: unknown, doing: string) => void
  },
  options: Pick<ServerOptions, 'memoryFactor' | 'maxSessions' | 'maxSessionsPerTenant'>,
): { room: Room; pool: SessionPool; tools: Pick<Driver, 'tool'>; networks: NetworkGate } {
  const { driver, bundles, observer, info, onError } = parts
  const { memoryFactor = 1, maxSessions, maxSessionsPerTenant } = options
  const memory_mb = Math.floor(parts.memory_mb * memoryFactor)
  const tooLarge = Object.entries(SIZES).filter(([, size]) => size.memory_mb > memory_mb)
  // Said now, and not with the first run.
  if (tooLarge.length > 0) {
    info(`runs of some sizes will fail: they may take more than the ${memory_mb} MB for all sandboxes`, {
      sizes: tooLarge.map(([name]) => name),
    })
  }
  const room = new Room({ memory_mb, maxSessions, maxSessionsPerTenant })
  const networks = createNetworkGate(driver)
  const pool = createSessionPool({ driver: networks, bundles, room, observer, onError })
  return { room, pool, tools: admittedTools(driver, room), networks }
}
