import type { Claim, Engine } from '../backends/ports.ts'
import type { QueueName } from '../model/sizes.ts'
import type { Execute, Interruption } from './execute.ts'

export interface WorkerOptions {
  /** Runs executed at once per queue. Default: 8 and 4. */
  readonly concurrency?: Partial<Record<QueueName, number>>
  /** Life of a lease without a heartbeat, in milliseconds. Default 30,000. */
  readonly leaseMs?: number
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
  /** Runs in execution now. */
  active(): number
}

interface Running {
  readonly claim: Claim
  readonly abort: AbortController
  readonly done: Promise<void>
}

const QUEUES: readonly QueueName[] = ['default', 'long']
/** Clock steps and lost hints: look at least this often, in milliseconds. */
const LOOK_AGAIN_MS = 30_000
/** After an error of ours, wait before the next look, in milliseconds. */
const RECOVER_MS = 1000

/** Takes runs from the queues and executes them under leases that it keeps alive. */
export function createRunWorker(engine: Engine, execute: Execute, options: WorkerOptions): RunWorker {
  const { leaseMs = 30_000, graceMs = 10_000, onError } = options
  const concurrency = { default: 8, long: 4, ...options.concurrency }
  const running = new Map<string, Running>()
  const lanes = new Map<QueueName, Lane>()
  let unwatch: (() => void) | null = null
  let heart: NodeJS.Timeout | null = null
  let stopping: Promise<void> | null = null

  /** One queue: never more than one take under way, and never a wake-up lost. */
  class Lane {
    readonly queue: QueueName
    #busy = 0
    #taking = false
    #again = false
    #timer: NodeJS.Timeout | null = null

    constructor(queue: QueueName) {
      this.queue = queue
    }

    pump(): void {
      if (stopping !== null) return
      if (this.#taking) {
        this.#again = true
        return
      }
      const free = concurrency[this.queue] - this.#busy
      if (free <= 0) return
      this.#taking = true
      this.#again = false
      void this.#take(free)
        .then(() => 0)
        .catch((error: unknown) => {
          onError(error, `taking from the queue "${this.queue}"`)
          return RECOVER_MS
        })
        .then((pause) => {
          this.#taking = false
          if (pause > 0) this.#arm(pause)
          else if (this.#again) this.pump()
        })
    }

    async #take(free: number): Promise<void> {
      const claims = await engine.runs.take(this.queue, free, leaseMs)
      for (const claim of claims) this.#begin(claim)
      if (claims.length === free) return
      // The queue had no more: sleep until an entry becomes visible again, such as a lease that runs out.
      const next = await engine.runs.nextVisible(this.queue)
      this.#arm(next === null ? LOOK_AGAIN_MS : Math.min(Math.max(next - Date.now(), 1), LOOK_AGAIN_MS))
    }

    #begin(claim: Claim): void {
      const abort = new AbortController()
      this.#busy++
      const done = execute(claim, abort.signal)
        .catch((error: unknown) => onError(error, `executing run ${claim.run.id}`))
        .then(() => {
          this.#busy--
          running.delete(claim.run.id)
          this.pump()
        })
      running.set(claim.run.id, { claim, abort, done })
    }

    #arm(ms: number): void {
      this.disarm()
      if (stopping === null) this.#timer = setTimeout(() => this.pump(), ms).unref()
    }

    disarm(): void {
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timer = null
    }
  }

  async function beat(): Promise<void> {
    const held = [...running.values()]
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
      if (unwatch !== null) return
      for (const queue of QUEUES) lanes.set(queue, new Lane(queue))
      unwatch = engine.runs.watchQueue((queue) => lanes.get(queue)?.pump())
      heart = setInterval(() => {
        beat().catch((error: unknown) => onError(error, 'extending leases'))
      }, leaseMs / 3).unref()
      for (const lane of lanes.values()) lane.pump()
    },

    stop() {
      stopping ??= (async () => {
        unwatch?.()
        for (const lane of lanes.values()) lane.disarm()
        const all = Promise.all([...running.values()].map(({ done }) => done))
        const timer = setTimeout(() => {
          for (const { abort } of running.values()) abort.abort('stopping' satisfies Interruption)
        }, graceMs)
        await all
        clearTimeout(timer)
        if (heart !== null) clearInterval(heart)
      })()
      return stopping
    },

    cancel(run) {
      running.get(run)?.abort.abort('cancelled' satisfies Interruption)
    },

    active: () => running.size,
  }
}
