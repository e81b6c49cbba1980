import { setImmediate as otherWork } from 'node:timers/promises'
import type { DueSchedule, FireOrder, FireResult, NextFire, PlannedRun, ScheduleStore } from '../backends/flow-ports.ts'
import { now as textOf } from '../model/json.ts'
import { type FireOutcome, scheduleActor } from '../model/schedules.ts'
import { decide } from './due.ts'
import type { Expressions } from './expressions.ts'
import type { Instants } from './instants.ts'
import { Postponed } from './postponed.ts'

export interface FiringParts {
  readonly engine: { readonly schedules: Pick<ScheduleStore, 'fire'> }
  readonly expressions: Expressions
  /** What a fire begins; what keeps it from being executed is the reason why its run fails. */
  readonly plan: (order: {
    readonly tenant: string
    readonly skill: string
    readonly stage: string
    readonly input: unknown
    readonly scheduled_for: string
    readonly created_by: string
  }) => Promise<PlannedRun>
  /** Ends a run that this process executes and that was asked to stop. */
  readonly cancel?: (run: string) => void
  /** @param lateMs After it was due; null for what was missed. */
  readonly onFired?: (outcome: FireOutcome, lateMs: number | null) => void
  /** Told of errors; what it concerns is tried again. */
  readonly onError: (error: unknown, doing: string) => void
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
  /** A plan that took its time is there: `flush` fires it. */
  readonly ready: () => void
  readonly stopped: () => boolean
}

/** What fires the schedules that are found due, a page at a time. Never twice at once. */
export interface Firing {
  /** Before the first page. */
  begin(): void
  /** @throws Error when nothing can be written. */
  fire(page: readonly DueSchedule[]): Promise<void>
  flush(): Promise<void>
  /** After the last page. @returns Whether some could not be fired and are to be looked at again. */
  end(): boolean
}

export function createFiring(parts: FiringParts): Firing {
  const { engine, plan, onError, now = Date.now } = parts
  /** Stages whose fire is under way, with their tenants. */
  const busy = new Map<string, string>()
  const postponed = new Postponed()
  let planned: Planned[] = []
  let left = false

  function failed(stage: string, error: unknown): void {
    busy.delete(stage)
    postponed.again(stage)
    left = true
    onError(error, `firing the schedule of stage ${stage}`)
  }

  /** Null: the runtime does not know the zone any more, or the expression is none. */
  function compile({ schedule }: DueSchedule): Instants | null {
    try {
      return parts.expressions(schedule.cron, schedule.zone)
    } catch (error) {
      onError(error, `the schedule of stage ${schedule.stage} fires no more: "${schedule.cron}" in ${schedule.zone}`)
      return null
    }
  }

  async function prepare(due: DueSchedule): Promise<void> {
    const { schedule, next: expected } = due
    const { tenant, skill, stage, revision, overlap, input = {} } = schedule
    try {
      const instants = compile(due)
      const nothing = { fires: null, missed: { first: expected.instant, last: expected.instant }, next: null }
      const { fires, missed, next } = instants === null ? nothing : decide(due, instants, now())
      const order = { tenant, stage, revision, expected, missed, overlap, next }
      if (fires === null) return void planned.push({ order: { ...order, begin: null }, fires })
      const scheduled_for = textOf(fires.instant)
      const begin = await plan({ tenant, skill, stage, input, scheduled_for, created_by: scheduleActor(stage) })
      planned.push({ order: { ...order, begin }, fires })
    } catch (error) {
      if (!parts.stopped()) failed(stage, error)
    }
  }

  async function flush(): Promise<void> {
    while (planned.length > 0 && !parts.stopped()) {
      const batch = planned.slice(0, BATCH)
      planned = planned.slice(BATCH)
      try {
        const results = await engine.schedules.fire(batch.map(({ order }) => order))
        for (const [i, one] of batch.entries()) told(one, results[i]!)
      } finally {
        for (const { order } of batch) busy.delete(order.stage)
      }
    }
  }

  function told({ order, fires }: Planned, result: FireResult | Error): void {
    if (result instanceof Error) return failed(order.stage, result)
    postponed.forget(order.stage)
    if (result.outcome === 'stale') return
    for (const run of result.stopping) parts.cancel?.(run)
    if (order.missed !== null) parts.onFired?.('missed', null)
    if (fires !== null) parts.onFired?.(result.outcome, Math.max(now() - fires.due, 0))
  }

  return {
    flush,

    begin() {
      left = false
      postponed.begin()
    },

    async fire(page) {
      const slow = countsOf(busy.values())
      const plans: Promise<void>[] = []
      let since = performance.now()
      for (const due of page) {
        const { tenant, stage } = due.schedule
        if (parts.stopped()) return
        if (busy.has(stage)) continue
        if (postponed.holds(stage) || (slow.get(tenant) ?? 0) >= MOST_SLOW) {
          left = true
          continue
        }
        busy.set(stage, tenant)
        plans.push(prepare(due))
        if (performance.now() - since > TURN_MS) {
          await otherWork()
          since = performance.now()
        }
      }
      await flushWhenPlanned(plans)
    },

    end() {
      postponed.end()
      return left
    },
  }

  /** One tenant's slow plans hold up no other's fires: they are fired by themselves, when they are there. */
  async function flushWhenPlanned(plans: readonly Promise<void>[]): Promise<void> {
    const { promise: patience, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), PATIENCE_MS)
    const all = Promise.all(plans)
    const late = (await Promise.race([all, patience])) === 'late'
    clearTimeout(timer)
    if (late) for (const one of plans) void one.then(parts.ready)
    await flush()
  }
}

interface Planned {
  readonly order: FireOrder
  readonly fires: NextFire | null
}

/** Fires that are written in one transaction: as many as a page has. */
const BATCH = 32
/** How long a page waits for its plans, in milliseconds. */
const PATIENCE_MS = 100
/** A tenant with so many plans that take longer has no more of them made until one is there. */
const MOST_SLOW = 8
/** After so many milliseconds others get their turn. */
const TURN_MS = 5

function countsOf(values: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
