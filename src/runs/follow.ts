import type { Engine } from '../backends/ports.ts'
import { type RunEvent, isTerminal } from '../model/runs.ts'

const PAGE = 200
/** Hints may get lost between processes: look again after this many milliseconds. */
const LOOK_AGAIN_MS = 1000

/** Yields a run's events after `afterSeq` in order and without gaps, waiting for more until the `result` event or the abort. */
export async function* followEvents(
  engine: Engine,
  tenant: string,
  run: string,
  afterSeq: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  const bell = new Bell()
  // Watch before the first look, or an event between the two would be missed.
  const unwatch = engine.runs.watchRun(run, () => bell.ring())
  const stop = (): void => bell.ring()
  signal?.addEventListener('abort', stop, { once: true })
  let seen = afterSeq
  let over = false
  try {
    while (signal?.aborted !== true) {
      bell.arm()
      const page = await engine.runs.events(tenant, run, seen, PAGE)
      for (const event of page) {
        seen = event.seq
        yield event
        if (event.type === 'result') return
      }
      // A reader may name an event that does not exist, or the last one: nothing more comes once the run is over.
      if (page.length === 0 && over) return
      if (page.length === PAGE) continue
      await bell.wait(LOOK_AGAIN_MS)
      if (page.length === 0) over = isTerminal((await engine.runs.find(tenant, run))?.status ?? 'cancelled')
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    unwatch()
  }
}

/** A wake-up that is not lost when it comes before the wait. */
class Bell {
  #rung = false
  #wake: (() => void) | null = null

  arm(): void {
    this.#rung = false
  }

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  async wait(ms: number): Promise<void> {
    if (this.#rung) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wake = resolve
    try {
      await promise
    } finally {
      this.#wake = null
      clearTimeout(timer)
    }
  }
}
