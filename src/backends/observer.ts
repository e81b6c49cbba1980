import type { Run } from '../model/runs.ts'
import type { QueueName } from '../model/sizes.ts'

/** Told by an engine of what it did, after it is durable. Must not throw. */
export interface EngineObserver {
  /** A transaction of several operations reached the disk. */
  committed(ms: number, operations: number): void
  /** A run is over. Without its payloads. */
  runEnded(run: Run): void
}

/** How full an engine is, over all tenants. */
export interface EngineGauges {
  readonly queues: readonly {
    readonly queue: QueueName
    readonly state: 'waiting' | 'leased' | 'later' | 'held' | 'paused'
    readonly runs: number
    /** When the oldest of them was enqueued, in milliseconds since 1970. */
    readonly oldest: number
  }[]
  readonly deliveries: { readonly pending: number; readonly due: number }
  readonly schedules: { readonly enabled: number }
}
