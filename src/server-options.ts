import type { QueueName } from './model/sizes.ts'
import type { Rate } from './http/rate-limit.ts'
import type { RequestLogEntry } from './http/request-log.ts'
import type { Swept } from './upkeep/sweeper.ts'

/** `soft-limits`: limits that a watchdog holds, where the kernel holds none. */
export type Allowance = 'soft-limits'

export interface ServerOptions {
  /** Folder that holds all state; made when missing, readable by its owner only. */
  readonly dataDir: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 8787; 0 takes a free one. */
  readonly port?: number
  /** Prepare a sandbox as soon as a stage is activated, so that its first run is warm. Default true. */
  readonly warmUp?: boolean
  /** How long `stop` lets runs finish before they are handed back to the queue, in milliseconds. Default 10,000. */
  readonly graceMs?: number | undefined
  /** A run whose server shows no sign of life for so long is begun again, in milliseconds. Default 30,000. */
  readonly leaseMs?: number | undefined
  /** How many runs of a queue are executed at once. Default 8 of `default` (sizes S and M), 4 of `long` (L and XL). */
  readonly concurrency?: Partial<Record<QueueName, number>> | undefined
  /**
   * How often the memory of the machine is given away: the limits of all sandboxes together, idle ones included, are at most so many times
   * the memory that there is. Default 1: whatever they do at once, it fits.
   */
  readonly memoryFactor?: number | undefined
  /** Sandboxes that are kept or at work, in all. Default 64. */
  readonly maxSessions?: number | undefined
  /** Those of one tenant. Default: half of all. */
  readonly maxSessionsPerTenant?: number | undefined
  /** Names this installation in the paths of secrets: up to 32 lower-case letters, digits and hyphens. Default dev. */
  readonly environment?: string | undefined
  /** What secrets are sealed under: 32 bytes in base64, several separated by commas, the current one first. Default: `master.key` in the data folder. */
  readonly masterKey?: string | undefined
  /** Where the world finds this server, as `https://host`: MCP tells it to clients, and takes requests by that name. Default: only by its addresses. */
  readonly publicUrl?: string | undefined
  /** JSON file that names the issuers whose tokens are accepted besides keys (docs/oidc.md). Default: none. */
  readonly oidcFile?: string | undefined
  /** What one key may send; null: as much as it wants. Default 2,000 requests a second, 4,000 at once. */
  readonly rateLimit?: Rate | null | undefined
  /** What one address may send that fails to authenticate; null: as much as it wants. Default 20 requests a second, 100 at once. */
  readonly failureLimit?: Rate | null | undefined
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxies?: readonly string[] | undefined
  /** Addresses and networks that webhooks may go to although they are not public, by plain http too. Default: none. */
  readonly webhookNetworks?: readonly string[] | undefined
  /** Addresses and networks that skills may reach although they are not public, by names of their network lists. Default: none. */
  readonly skillNetworks?: readonly string[] | undefined
  /** DNS servers that hosts of webhooks and of network lists are looked up with, as `address` or `address:port`. Default: the machine's. */
  readonly dnsServers?: readonly string[] | undefined
  /** What is accepted although a server for production (`environment`) refuses it. Default: nothing. */
  readonly allow?: readonly Allowance[] | undefined
  /** What keeps sandboxes apart: namespaces of the machine's kernel, or a kernel of their own (gVisor). Default bwrap; there is no fallback. */
  readonly driver?: 'bwrap' | 'runsc' | undefined
  /** Skills run as plain processes, without any isolation: on 127.0.0.1, for one tenant, never for production. Default false. */
  readonly developmentWithoutIsolation?: boolean | undefined
  /** `soft`: limits by a watchdog even where cgroups could be used. Default `auto`: the strongest that there are. */
  readonly limits?: 'auto' | 'soft' | undefined
  /** Told of each request when it has ended. Default: nobody is. */
  readonly requestLog?: ((entry: RequestLogEntry) => void) | undefined
  /** Told of everything worth knowing. */
  readonly log: (entry: LogEntry) => void
}

export interface LogEntry {
  readonly at: string
  readonly level: 'info' | 'error'
  readonly message: string
  readonly [field: string]: unknown
}

export interface RunningServer {
  readonly url: string
  /** The owner key of the first tenant, if it still lies in the data folder. */
  readonly key: string | null
  /** The operator's key, if it still lies in the data folder. */
  readonly operatorKey: string | null
  /** True when this start made the tenant: the key is to be shown this once. */
  readonly firstStart: boolean
  /** Removes what is over and old at once, as is done once an hour. @returns How many things are gone, by their kind. */
  sweep(): Promise<Swept>
  /** Stops taking requests and runs, lets what runs finish or hands it back, and leaves no sandbox. May be called twice. */
  stop(): Promise<void>
}
