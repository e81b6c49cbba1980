import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { EngineGauges, EngineObserver } from '../backends/observer.ts'

/** What is asked for at each scrape. */
export interface MetricSources {
  readonly version: string
  readonly gauges: () => Promise<EngineGauges>
  readonly sessions: () => {
    readonly idle: number
    readonly busy: number
    readonly spare: number
    readonly memory_mb: number
  }
  /** Memory that is given away to sandboxes and builds, and what waits for it. */
  readonly room: { readonly used_mb: number; readonly limit_mb: number; readonly waiting: number }
  readonly streams: () => number
}

/** What a server measures of itself, for Prometheus. Labels hold names of ours only: what tenants choose would make a series each. */
export interface Metrics {
  readonly engine: EngineObserver
  readonly sessions: {
    /** A run got its session. @param start `warm`, `spare` or `cold`. */
    started(start: string, ms: number): void
    ended(cause: string): void
  }
  /** What skills do on the network, by names of their network lists. */
  readonly egress: {
    /** What went through since the last time. */
    traffic(more: { readonly connections: number; readonly bytes_out: number; readonly bytes_in: number }): void
    denied(reason: string, times: number): void
  }
  /** An answered request. Streams of events are left out: they last as long as their reader wants. */
  request(request: {
    readonly route: string | null
    readonly method: string | null
    readonly status: number | null
    readonly ms: number
  }): void
  /** One fire of a schedule. @param lateMs After it was due; null for what was missed. */
  fired(outcome: string, lateMs: number | null): void
  /** One attempt to deliver a webhook. */
  attempted(outcome: string, ms: number): void
  /** Rows or files that retention removed. */
  swept(kind: string, count: number): void
  /** The text format, version 0.0.4. */
  render(sources: MetricSources): Promise<{ readonly type: string; readonly text: string }>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name: `skillet_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name: `skillet_${name}`, help, labelNames, registers })
  const seconds = (name: string, help: string, labelNames: string[], buckets: number[]): Histogram =>
    new Histogram({ name: `skillet_${name}_seconds`, help, labelNames, buckets, registers })

  const runs = counter('runs_total', 'Runs that are over.', ['status', 'reason'])
  const queued = seconds('run_queue', 'From admission to the claim.', [], WAITS)
  const started = seconds('run_start', 'From asking for a sandbox to a ready one.', ['start'], SHORT)
  const executed = seconds('run_execution', 'In the sandbox.', ['status'], LONG)
  const commits = seconds('sqlite_commit', 'Writing one transaction to the disk.', [], SHORT)
  const operations = counter('sqlite_operations_total', 'Operations in those transactions.', [])
  const requests = seconds(
    'http_request',
    'From the request to the end of its answer.',
    ['route', 'method', 'status'],
    WAITS,
  )
  const fires = counter('schedule_fires_total', 'Fires of schedules.', ['outcome'])
  const lateness = seconds('schedule_lateness', 'How long after it was due a schedule fired.', [], WAITS)
  const attempts = seconds('webhook_attempt', 'Attempts to deliver.', ['outcome'], WAITS)
  const removed = counter('swept_total', 'What retention removed.', ['kind'])
  const connections = counter('egress_connections_total', 'Connections of skills and builds to the network.', [])
  const bytes = counter('egress_bytes_total', 'What went through them.', ['direction'])
  const denied = counter('egress_denied_total', 'Attempts that were refused or failed.', ['reason'])

  const depth = gauge('queue_runs', 'Runs that are not over.', ['queue', 'state'])
  const age = gauge('queue_oldest_seconds', 'Age of the oldest of them.', ['queue', 'state'])
  const ended = counter('sessions_ended_total', 'Sandboxes that were ended.', ['cause'])
  const sessions = gauge('sessions', 'Sandboxes.', ['state'])
  const memory = gauge('sessions_memory_limit_bytes', 'Sum of the memory limits of the sandboxes.')
  const admitted = gauge('admission_memory_bytes', 'Limits of sandboxes and builds: in use, and possible.', ['kind'])
  const waiting = gauge('admission_waiting', 'Runs and builds that wait for memory or for a place.')
  const streams = gauge('event_streams', 'Open streams of events.')
  const pending = gauge('webhook_deliveries', 'Deliveries that are not over.', ['state'])
  const schedules = gauge('schedules_enabled', 'Schedules that will fire.')
  const build = gauge('build_info', 'The software.', ['version'])

  return {
    engine: {
      committed(ms, count) {
        commits.observe(ms / 1000)
        operations.inc(count)
      },
      runEnded({ status, reason, queue_ms, execution_ms }) {
        runs.inc({ status, reason: reason ?? '' })
        if (queue_ms !== null) queued.observe(queue_ms / 1000)
        if (execution_ms !== null) executed.observe({ status }, execution_ms / 1000)
      },
    },
    sessions: {
      started: (start, ms) => started.observe({ start }, ms / 1000),
      ended: (cause) => ended.inc({ cause }),
    },
    egress: {
      traffic(more) {
        connections.inc(more.connections)
        bytes.inc({ direction: 'out' }, more.bytes_out)
        bytes.inc({ direction: 'in' }, more.bytes_in)
      },
      denied: (reason, times) => denied.inc({ reason }, times),
    },
    request({ route, method, status, ms }) {
      if (route?.endsWith('/events') === true) return
      requests.observe({ route: route ?? '', method: method ?? '', status: String(status ?? '') }, ms / 1000)
    },
    fired(outcome, lateMs) {
      fires.inc({ outcome })
      if (lateMs !== null) lateness.observe(Math.max(0, lateMs) / 1000)
    },
    attempted: (outcome, ms) => attempts.observe({ outcome }, ms / 1000),
    swept: (kind, count) => removed.inc({ kind }, count),

    async render(sources) {
      const found = await sources.gauges()
      depth.reset()
      age.reset()
      for (const { queue, state, runs: count, oldest } of found.queues) {
        depth.set({ queue, state }, count)
        age.set({ queue, state }, Math.max(0, Date.now() - oldest) / 1000)
      }
      const { memory_mb, ...states } = sources.sessions()
      for (const [state, count] of Object.entries(states)) sessions.set({ state }, count)
      memory.set(memory_mb * MB)
      admitted.set({ kind: 'used' }, sources.room.used_mb * MB)
      admitted.set({ kind: 'limit' }, sources.room.limit_mb * MB)
      waiting.set(sources.room.waiting)
      streams.set(sources.streams())
      pending.set({ state: 'due' }, found.deliveries.due)
      pending.set({ state: 'later' }, found.deliveries.pending - found.deliveries.due)
      schedules.set(found.schedules.enabled)
      build.set({ version: sources.version }, 1)
      return { type: registry.contentType, text: await registry.metrics() }
    },
  }
}

const MB = 2 ** 20

/** Upper bounds in seconds. */
const SHORT = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
const WAITS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const LONG = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 900, 3600, 28_800]
