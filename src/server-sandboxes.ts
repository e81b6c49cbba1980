import type { Blobs } from './backends/ports.ts'
import { type IsolationGate, createIsolationGate } from './isolation-gate.ts'
import { SIZES } from './model/sizes.ts'
import type { listensAt } from './net/listens-at.ts'
import { admittedTools } from './runtime/admitted-tools.ts'
import { openBundleCache } from './runtime/bundles.ts'
import { type Places, openPlaces } from './runtime/bwrap/places.ts'
import { runDoctor } from './runtime/doctor.ts'
import type { SoftLimits } from './runtime/doctor-facts.ts'
import type { Driver } from './runtime/driver.ts'
import { openEgress } from './runtime/egress/open-egress.ts'
import { type NetworkGate, createNetworkGate } from './runtime/network-gate.ts'
import { openDriver } from './runtime/open-driver.ts'
import { createSessionPool } from './runtime/pool.ts'
import { Room } from './runtime/room.ts'
import type { SessionPool } from './runtime/session-pool.ts'
import { SESSION_TMPFS } from './runtime/session-tmpfs.ts'
import type { ServerOptions } from './server-options.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** What runs what strangers wrote. */
export interface Sandboxes {
  readonly places: Places
  readonly room: Room
  readonly pool: SessionPool
  /** For packages; in the same room as the sessions. */
  readonly tools: Pick<Driver, 'tool'>
  /** Nothing of a tenant is touched on a machine that cannot hold it; readiness says so until the machine is mended. */
  readonly gate: IsolationGate
  /** Resolves when the gate knows. */
  readonly examined: Promise<void>
  readonly networks: NetworkGate
  close(): Promise<void>
}

/** @throws SandboxError when the driver cannot be had; NetworkListError */
export async function openSandboxes(
  parts: {
    readonly blobs: Blobs
    /** That the machine has, in MB. */
    readonly machine_mb: number
    /** Where the server listens, which no skill may reach. */
    readonly own: () => ReturnType<typeof listensAt>
    readonly metrics: Pick<Metrics, 'egress' | 'sessions'>
    readonly info: (message: string, fields: object) => void
    readonly onError: (error: unknown, doing: string) => void
  },
  options: ServerOptions,
): Promise<Sandboxes> {
  const { blobs, machine_mb, own, metrics, info, onError } = parts
  const { dataDir, skillNetworks, dnsServers, limits, memoryFactor = 1, maxSessions, maxSessionsPerTenant } = options
  await using open = new AsyncDisposableStack()
  const places = open.adopt(await openPlaces(dataDir), (it) => it.close())
  const wayOut = { networks: skillNetworks, dnsServers, own, observed: metrics.egress, onError }
  const egress = open.adopt(openEgress(wayOut), (it) => it.close())
  const name = options.developmentWithoutIsolation === true ? 'bare' : (options.driver ?? 'bwrap')
  const driver = open.adopt(await openDriver(name, { places, egress, limitsMode: limits }), (it) => it.close())

  const gate = createIsolationGate()
  const memory = { machine_mb, factor: memoryFactor }
  const examined = gate
    .examine(() => runDoctor({ driver, places, dataDir, softLimits: softLimits(options), memory }))
    .catch((error: unknown) => onError(error, 'examining the isolation'))

  const memory_mb = Math.floor(machine_mb * memoryFactor)
  const tooLarge = Object.entries(SIZES).filter(([, size]) => size.memory_mb > memory_mb)
  // Said now, and not with the first run.
  if (tooLarge.length > 0) {
    info(`runs of some sizes will fail: they may take more than the ${memory_mb} MB for all sandboxes`, {
      sizes: tooLarge.map(([size]) => size),
    })
  }
  const room = new Room({ memory_mb, maxSessions, maxSessionsPerTenant })
  const bundles = open.adopt(await openBundleCache({ folder: places.bundles, blobs, onError }), (it) => it.close())
  const networks = createNetworkGate(driver)
  const besidesLimit = driver.capabilities().limits === 'soft' ? SESSION_TMPFS.tmp + SESSION_TMPFS.shm : 0
  const pool = createSessionPool({ driver: networks, bundles, room, besidesLimit, observer: metrics.sessions, onError })
  open.defer(() => pool.close())
  const opened = open.move()
  return {
    places,
    room,
    pool,
    tools: admittedTools(driver, room),
    gate,
    examined,
    networks,
    close: () => opened.disposeAsync(),
  }
}

function softLimits({ environment, allow = [] }: ServerOptions): SoftLimits {
  if (environment !== 'production') return 'accepted'
  return allow.includes('soft-limits') ? 'allowed by name' : 'refused'
}
