import type { Engine } from '../backends/ports.ts'
import type { Claim } from '../backends/run-ports.ts'
import { Pulse } from '../model/pulse.ts'
import type { QueueName } from '../model/sizes.ts'
import type { Execute, Interruption } from './execute.ts'
import { Lane, type Place } from './lane.ts'

export interface WorkerOptions {
  /** Runs executed at once per queue. Default: 8 and 4. */
  readonly concurrency?: Partial<Record<QueueName, number>> | undefined
  /** Life of a lease without a heartbeat, in milliseconds. Default 30,000. */
  readonly leaseMs?: number | undefined
  /** How long `stop` lets running runs finish before they are handed back, in milliseconds. Default 10,000. */
  readonly graceMs?: number
  /** Told of errors of our own; the worker goes on. */
  readonly onError: (error: unknown, doing: string) => void
}

export interface RunWorker {
  start(): void
  /** Takes nothing more, lets what runs finish within the grace period, hands the rest back to the queue. */
  stop(): Promise<void>
  /** Ends a run that this worker executes; nothing happens when it does not. */
  cancel(run: string): void
  /** Keeps a free place for a run that is being admitted; null when there is none. The place has to be given back by `fill`. */
  offer(queue: QueueName): Place | null
  /**
   * Takes nothing from the queues until what this returns is called, or for a quarter of a second: what is due at an instant is written down
   * before what may wait is begun. Runs that are offered a place go on.
   */
  hold(): () => void
  /** For /readyz. @throws NotReady while no runs are taken, or leases not kept alive. */
  check(): void
}

interface Running {
  readonly claim: Claim
  readonly abort: AbortController
  readonly done: Promise<void>
}

const QUEUES: readonly QueueName[] = ['default', 'long']

/** Takes runs from the queues and executes them under leases that it keeps alive. */
export function createRunWorker(engine: Engine, execute: Execute, options: WorkerOptions): RunWorker {
  const { leaseMs = 30_000, graceMs = 10_000, onError } = options
  const concurrency = { default: 8, long: 4, ...options.concurrency }
  // Not by run: its next attempt may begin before this one is put away, or while this one does not know yet that its lease is lost.
  const running = new Set<Running>()
  const lanes = new Map<QueueName, Lane>()
  let unwatch: (() => void) | null = null
  let heart: NodeJS.Timeout | null = null
  let stopping: Promise<void> | null = null
  const pulse = new Pulse('Keeping runs alive')

  /** @param performed Called once, when the place is free again. */
  function begin(claim: Claim, performed: () => void): void {
    if (stopping !== null) {
      // It was taken while the worker stopped: back to the queue, or to whoever opens it next.
      performed()
      engine.runs.release(claim.run.id, claim.token).catch((error: unknown) => onError(error, 'handing back a run'))
      return
    }
    const abort = new AbortController()
    let freed = false
    const free = (): void => {
      if (!freed) performed()
      freed = true
    }
    const done = execute(claim, abort.signal, free)
      .catch((error: unknown) => onError(error, `executing run ${claim.run.id}`))
      .then(() => {
        running.delete(attempt)
        free()
      })
    const attempt = { claim, abort, done }
    running.add(attempt)
  }

  async function beat(): Promise<void> {
    const held = [...running]
    if (held.length === 0) return
    const answers = await engine.runs.heartbeat(
      held.map(({ claim }) => ({ run: claim.run.id, token: claim.token })),
      leaseMs,
    )
    for (const [i, { abort }] of held.entries()) {
      if (answers[i] === 'cancel') abort.abort('cancelled' satisfies Interruption)
      if (answers[i] === 'lost') abort.abort('lease_lost' satisfies Interruption)
    }
  }

  return {
    start() {
      if (unwatch !== null || stopping !== null) return
      for (const queue of QUEUES) {
        lanes.set(queue, new Lane(engine.runs, { queue, places: concurrency[queue], leaseMs, begin, onError }))
      }
      unwatch = engine.runs.watchQueue((queue) => lanes.get(queue)?.wake())
      pulse.start()
      heart = setInterval(() => {
        pulse.during(beat()).catch((error: unknown) => onError(error, 'extending leases'))
      }, leaseMs / 3).unref()
      for (const lane of lanes.values()) lane.wake()
    },

    stop() {
      pulse.stop()
      stopping ??= (async () => {
        unwatch?.()
        await Promise.all([...lanes.values()].map((lane) => lane.stop()))
        const all = Promise.all([...running].map(({ done }) => done))
        const timer = setTimeout(() => {
          for (const { abort } of running) abort.abort('stopping' satisfies Interruption)
        }, graceMs)
        await all
        clearTimeout(timer)
        if (heart !== null) clearInterval(heart)
      })()
      return stopping
    },

    cancel(run) {
      for (const { claim, abort } of running) if (claim.run.id === run) abort.abort('cancelled' satisfies Interruption)
    },

    offer: (queue) => lanes.get(queue)?.offer() ?? null,

    hold() {
      const releases = [...lanes.values()].map((lane) => lane.hold())
      return () => {
        for (const release of releases) release()
      }
    },

    check() {
      pulse.check()
      for (const lane of lanes.values()) lane.check()
    },
  }
}
