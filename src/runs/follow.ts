import { setImmediate as otherWork } from 'node:timers/promises'
import type { Engine } from '../backends/ports.ts'
import type { EndedRun } from '../backends/run-ports.ts'
import { turnFor } from '../model/written-json.ts'
import { type Run, type RunEvent, isTerminal } from '../model/runs.ts'
import { Bell } from './bell.ts'
import { ROUNDS } from './rounds.ts'
import { TURNS } from './turns.ts'

const PAGE = 200

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
  const ring = (): void => bell.ring()
  const unwatch = engine.runs.watchRun(run, () => TURNS.wake(bell))
  const leave = ROUNDS.join(ring)
  signal?.addEventListener('abort', ring, { once: true })
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
      if (page.length === PAGE) {
        // A fast client is never waited for: others get their turn between pages.
        await otherWork()
        continue
      }
      await bell.wait()
      if (page.length === 0) over = isTerminal((await engine.runs.look(tenant, run))?.status ?? 'cancelled')
    }
  } finally {
    signal?.removeEventListener('abort', ring)
    unwatch()
    leave()
  }
}

/** The first look after a watch began, in milliseconds: the run may have ended before, on another machine. */
const FIRST_LOOK_MS = 250

/** The run when it is over, or as it is after `ms` or the abort. Null: it is there no more. @param run As it was when it was admitted. */
export async function awaitEnd(engine: Engine, run: Run, ms: number, signal?: AbortSignal): Promise<Run | null> {
  const { tenant, id, input } = run
  if (isTerminal(run.status)) return run
  const bell = new Bell()
  const until = performance.now() + ms
  let end = null as EndedRun | null
  const unwatch = engine.runs.watchRun(id, (ended) => {
    if (ended === null) return
    end = ended
    bell.ring()
  })
  const ring = (): void => bell.ring()
  const leave = ROUNDS.join(ring)
  signal?.addEventListener('abort', ring, { once: true })
  try {
    // Whoever waits has just begun the run: it is not over yet, and its end will ring.
    await bell.wait(Math.min(ms, FIRST_LOOK_MS))
    for (;;) {
      if (end !== null) return await withPayloads(end, input)
      bell.arm()
      const found = await engine.runs.look(tenant, id)
      // It ended elsewhere.
      if (found !== null && isTerminal(found.status)) return await engine.runs.find(tenant, id)
      const left = until - performance.now()
      if (found === null || left <= 0 || signal?.aborted === true) return found && { ...found, input }
      await bell.wait(left)
    }
  } finally {
    signal?.removeEventListener('abort', ring)
    unwatch()
    leave()
  }
}

async function withPayloads({ run, output }: EndedRun, input: unknown): Promise<Run> {
  if (output === null) return { ...run, input, output }
  await turnFor(output)
  const value: unknown = JSON.parse(output)
  // Next it is answered with.
  await turnFor(output)
  return { ...run, input, output: value }
}
