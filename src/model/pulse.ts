/** Why a part cannot do its work, and what the operator can do about it; for /readyz. */
export class NotReady extends Error {
  readonly fix: string
  constructor(what: string, fix: string) {
    super(what)
    this.name = 'NotReady'
    this.fix = fix
  }
}

/** Fewer failures in a row are what locks and restarts bring with them. */
const MOST_FAILURES = 2
/** What is under way for so long is stuck, in milliseconds. */
const STUCK_MS = 60_000

/** How a part does that goes on by itself as long as the server lives. What it does is told here each time. */
export class Pulse {
  readonly #doing: string
  #state: 'new' | 'started' | 'stopped' = 'new'
  #failures = 0
  /** When the one under way began, by the clock of `performance`. */
  #since: number | null = null

  /** @param doing What it does, as the beginning of a sentence: "Taking deliveries". */
  constructor(doing: string) {
    this.#doing = doing
  }

  start(): void {
    if (this.#state === 'new') this.#state = 'started'
  }
  stop(): void {
    this.#state = 'stopped'
  }

  /** @throws what the work rejects with. */
  async during<T>(work: Promise<T>): Promise<T> {
    // They may overlap: it counts from the first.
    this.#since ??= performance.now()
    try {
      const result = await work
      this.#failures = 0
      return result
    } catch (error) {
      this.#failures++
      throw error
    } finally {
      this.#since = null
    }
  }

  /** @throws NotReady */
  check(): void {
    if (this.#state === 'new') throw new NotReady(`${this.#doing} has not begun.`, UNSTARTED)
    if (this.#state === 'stopped') throw new NotReady(`${this.#doing} has ended: the server stops.`, 'Start it again.')
    if (this.#failures > MOST_FAILURES)
      throw new NotReady(`${this.#doing} failed ${this.#failures} times in a row.`, LOOK)
    const ms = this.#since === null ? 0 : performance.now() - this.#since
    if (ms > STUCK_MS) throw new NotReady(`${this.#doing} has been stuck for ${Math.round(ms / 1000)} s.`, LOOK)
  }
}

const UNSTARTED =
  'Wait while the server starts. It begins no runs where it cannot isolate them: see the other checks, mend the machine and start it again.'
const LOOK = "Look for the reason in the server's log, and at the checks `state` and `disk`. It tries again by itself."
