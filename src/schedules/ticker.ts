import { setImmediate as otherWork } from 'node:timers/promises'
import type { DueSchedule, ScheduleStore } from '../backends/flow-ports.ts'
import { NotReady, Pulse } from '../model/pulse.ts'
import { type Expressions, createExpressions } from './expressions.ts'
import { type FiringParts, createFiring } from './firing.ts'

export interface Ticker {
  start(): void
  /** Begins nothing more; what is being written is written before this resolves. */
  stop(): Promise<void>
  /** For /readyz. @throws NotReady when it does not run, or what it could fire is overdue. */
  check(): void
}

export interface TickerOptions extends Omit<FiringParts, 'expressions' | 'ready' | 'stopped'> {
  readonly engine: { readonly schedules: Pick<ScheduleStore, 'due' | 'nextDue' | 'fire' | 'watchSchedules'> }
  readonly expressions?: Expressions
  /** Keeps runs from being begun while many schedules are due, until what it returns is called. */
  readonly hold?: () => () => void
}

/**
 * Fires what is due. One timer for all schedules: it knows when the next one is due, however many there are. The engine sees to it that an
 * instant is fired once, whoever else does the same at the same time.
 */
export function createTicker(options: TickerOptions): Ticker {
  const { now = Date.now, onError } = options
  const { schedules } = options.engine
  const firing = createFiring({
    ...options,
    expressions: options.expressions ?? createExpressions(),
    ready: () => stir('ready'),
    stopped: () => stopped,
  })
  let unwatch: (() => void) | null = null
  let timer: NodeJS.Timeout | null = null
  let ticking: Promise<void> | null = null
  let stopped = false
  const pulse = new Pulse('Firing schedules')
  /** When all that was due had been looked through, by the clock of `performance`, which nobody sets. */
  let lookedAt = performance.now()
  /** What there is to do. `due`: look for what is due. `ready`: fire what was planned meanwhile, without looking at all that is due. */
  const stirred = new Set<'due' | 'ready'>()

  function stir(what: 'due' | 'ready'): void {
    stirred.add(what)
    pump()
  }

  function pump(): void {
    if (stopped || unwatch === null || ticking !== null || stirred.size === 0) return
    const looks = stirred.has('due')
    stirred.clear()
    ticking = pulse
      .during(looks ? look() : firing.flush())
      .catch((error: unknown) => {
        onError(error, 'firing schedules')
        wake(RECOVER_MS)
      })
      .then(() => {
        ticking = null
        pump()
      })
  }

  /** Goes once through all that are due at this instant. */
  async function look(): Promise<void> {
    const at = now()
    firing.begin()
    let after: DueSchedule | undefined
    let release: (() => void) | undefined
    try {
      for (;;) {
        const page = await schedules.due(at, PAGE, after)
        if (page.length === PAGE) release ??= options.hold?.()
        await firing.fire(page)
        if (stopped) return
        after = page.at(-1)
        if (page.length < PAGE) break
        await otherWork()
      }
    } finally {
      release?.()
    }
    const again = firing.end()
    lookedAt = performance.now()
    const next = await schedules.nextDue(at)
    const ms = next === null ? LOOK_AGAIN_MS : Math.min(Math.max(next - now(), 0), LOOK_AGAIN_MS)
    wake(again ? Math.min(ms, RECOVER_MS) : ms)
  }

  function wake(ms: number): void {
    if (timer !== null) clearTimeout(timer)
    if (!stopped) timer = setTimeout(() => stir('due'), ms).unref()
  }

  return {
    start() {
      if (unwatch !== null || stopped) return
      pulse.start()
      lookedAt = performance.now()
      unwatch = schedules.watchSchedules(() => stir('due'))
      stir('due')
    },

    async stop() {
      stopped = true
      pulse.stop()
      unwatch?.()
      if (timer !== null) clearTimeout(timer)
      await ticking
    },

    check() {
      pulse.check()
      // What one look leaves is what cannot be fired now, each for a reason of its own, which is told in the log.
      const ms = performance.now() - lookedAt
      if (ms > OVERDUE_MS)
        throw new NotReady(`What was due ${Math.round(ms / 1000)} s ago may not have fired yet.`, BEHIND)
    },
  }
}

/** Schedules that are read, with their inputs, and fired in one transaction, which takes some milliseconds: nothing else is written meanwhile. */
const PAGE = 32
/** Clocks are set, machines sleep and hints are lost: look at least this often, in milliseconds. Less than what counts as late. */
const LOOK_AGAIN_MS = 5000
/** All that is due is looked through in less, in milliseconds. */
const OVERDUE_MS = 60_000
const BEHIND =
  'Wait, when many schedules were due at once: they fire one after the other. Else look for the reason in the log of the server.'
/** After an error, or while some could not be fired, in milliseconds. */
const RECOVER_MS = 1000
