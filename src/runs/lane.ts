import type { Claim, RunStore } from '../backends/run-ports.ts'
import { Pulse } from '../model/pulse.ts'
import type { QueueName } from '../model/sizes.ts'

/** A place in the worker that waits for its run. */
export interface Place {
  readonly leaseMs: number
  /** Executes what was taken for it, or frees the place when that is nothing. Only the first call counts. */
  fill(taken: readonly Claim[]): void
}

interface LaneOptions {
  readonly queue: QueueName
  /** Runs executed at once. */
  readonly places: number
  readonly leaseMs: number
  readonly begin: (claim: Claim, performed: () => void) => void
  readonly onError: (error: unknown, doing: string) => void
}

/** Clock steps and lost hints: look at least this often, in milliseconds. */
const LOOK_AGAIN_MS = 30_000
/** Longest time for which nothing is taken because others have to be begun in time, in milliseconds. */
const HOLD_MS = 250
/** After an error of ours, wait before the next look, in milliseconds. */
const RECOVER_MS = 1000

/** The worker's side of one queue: never more than one take under way, never one for nothing, and never a wake-up lost. */
export class Lane {
  readonly #runs: Pick<RunStore, 'take' | 'nextVisible'>
  readonly #options: LaneOptions
  readonly #pulse: Pulse
  #busy = 0
  /** The take under way. */
  #taking: Promise<void> | null = null
  /** Whether the queue may hold something: set by hints and timers, cleared when a take found it empty. */
  #stirred = false
  #timer: NodeJS.Timeout | null = null
  #stopped = false
  #holds = 0

  constructor(runs: Pick<RunStore, 'take' | 'nextVisible'>, options: LaneOptions) {
    this.#runs = runs
    this.#options = options
    this.#pulse = new Pulse(`Taking runs from the queue "${options.queue}"`)
    this.#pulse.start()
  }

  /** There may be something in the queue. */
  wake(): void {
    this.#stirred = true
    this.#pump()
  }

  /** See RunWorker.offer. */
  offer(): Place | null {
    if (this.#stopped || this.#busy >= this.#options.places) return null
    return { leaseMs: this.#options.leaseMs, fill: this.#keep(1) }
  }

  /** See RunWorker.hold. */
  hold(): () => void {
    this.#holds++
    let over = false
    const release = (): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      this.#holds--
      this.#pump()
    }
    const timer = setTimeout(release, HOLD_MS).unref()
    return release
  }

  /** Takes nothing more; what is being taken is begun before this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#pulse.stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#taking
  }

  /** @throws NotReady when nothing is taken. */
  check(): void {
    this.#pulse.check()
  }

  #pump(): void {
    const places = this.#options.places - this.#busy
    if (this.#stopped || this.#taking !== null || !this.#stirred || places <= 0 || this.#holds > 0) return
    this.#stirred = false
    this.#taking = this.#pulse
      .during(this.#take(places))
      .catch((error: unknown) => {
        this.#options.onError(error, `taking from the queue "${this.#options.queue}"`)
        this.#lookAgain(RECOVER_MS)
      })
      .then(() => {
        this.#taking = null
        this.#pump()
      })
  }

  async #take(places: number): Promise<void> {
    const { queue, leaseMs } = this.#options
    const fill = this.#keep(places)
    const claims = await this.#runs.take(queue, places, leaseMs, fill).finally(() => fill([]))
    if (claims.length === places) this.#stirred = true
    else await this.#sleep()
  }

  /** The queue had no more: look again when an entry becomes visible, such as one whose lease runs out. */
  async #sleep(): Promise<void> {
    const next = await this.#runs.nextVisible(this.#options.queue)
    this.#lookAgain(next === null ? LOOK_AGAIN_MS : Math.min(Math.max(next - Date.now(), 1), LOOK_AGAIN_MS))
  }

  /** So many places are for what is being taken: nobody else is offered them. @returns See Place.fill. */
  #keep(places: number): Place['fill'] {
    this.#busy += places
    let filled = false
    return (taken) => {
      if (filled) return
      filled = true
      this.#busy -= places - taken.length
      for (const claim of taken) this.#options.begin(claim, () => this.#free())
      this.#pump()
    }
  }

  #lookAgain(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), ms).unref()
  }

  #free(): void {
    this.#busy--
    this.#pump()
  }
}
