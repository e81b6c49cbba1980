import type { EgressTraffic } from './egress.ts'
import type { EgressLimits } from './limits.ts'
import { createTokenBucket } from './token-bucket.ts'

export type Direction = 'out' | 'in'

/** What one sandbox sends and gets. */
export interface Meter {
  connected(): void
  /**
   * Counts what is about to be passed on.
   * @returns Milliseconds to wait before more is read; null when it is not passed on, as the sandbox had all that it may have.
   */
  count(direction: Direction, bytes: number): number | null
  /** It had all that it may have, for this hour. */
  spent(): boolean
  /** Reports at once what was not reported yet. */
  flush(): void
  /** Flushes; nothing is reported later. */
  close(): void
}

const HOUR_MS = 3_600_000
const REPORT_MS = 500
/** A piece of one byte takes as much time as one of thousands. */
const LEAST_BYTES = 8192
/** What may come at once, in seconds of the rate: the process has others to serve in between. */
const BURST_SECONDS = 0.1

/** @param report Told after a change, at most twice a second. */
export function createMeter(
  limits: Pick<EgressLimits, 'bytes' | 'byteRate'>,
  report: (traffic: EgressTraffic) => void,
): Meter {
  const rate = createTokenBucket(limits.byteRate, limits.byteRate * BURST_SECONDS)
  let traffic: EgressTraffic = { connections: 0, bytes_out: 0, bytes_in: 0 }
  let reported = traffic
  let timer: NodeJS.Timeout | null = null
  let hour = { since: performance.now(), bytes: 0 }

  function flush(): void {
    if (traffic === reported) return
    reported = traffic
    report(traffic)
  }
  function changed(to: EgressTraffic): void {
    traffic = to
    timer ??= setTimeout(() => {
      timer = null
      flush()
    }, REPORT_MS)
  }
  function spent(): boolean {
    const now = performance.now()
    if (now - hour.since >= HOUR_MS) hour = { since: now, bytes: 0 }
    return hour.bytes >= limits.bytes
  }

  return {
    connected: () => changed({ ...traffic, connections: traffic.connections + 1 }),
    count(direction, bytes) {
      if (spent()) return null
      const key = direction === 'out' ? 'bytes_out' : 'bytes_in'
      changed({ ...traffic, [key]: traffic[key] + bytes })
      hour.bytes += bytes
      return rate.charge(Math.max(bytes, LEAST_BYTES))
    },
    spent,
    flush,
    close() {
      if (timer !== null) clearTimeout(timer)
      flush()
    },
  }
}
