import { hash } from 'node:crypto'
import type { DueSchedule, FireOrder, NextFire } from '../backends/flow-ports.ts'
import type { Schedule } from '../model/schedules.ts'
import type { Instants } from './instants.ts'
import { lastUntil } from './last-until.ts'

/** What is to be done about a schedule that is due: which instant begins a run, what is told of as missed, and what comes next. */
export interface Decision extends Pick<FireOrder, 'missed' | 'next'> {
  readonly fires: NextFire | null
}

/**
 * Of the instants that came about since, the latest alone may be made up for, if it is not too late for that; all before it are missed.
 * What a schedule did not name when it was last written down is nobody's loss: nothing before `next.instant` is ever looked at.
 * @param now Milliseconds since 1970.
 */
export function decide({ schedule, next: expected }: DueSchedule, instants: Instants, now: number): Decision {
  const timeline = createTimeline(schedule, instants)
  const first = expected.instant
  let latest = expected
  let next = timeline.after(first)
  let before: number | null = null
  // Nearly always there are none or a few.
  for (let step = 0; step < STEPS && next !== null && next.due <= now; step++) {
    before = latest.instant
    latest = next
    next = timeline.after(latest.instant)
  }
  if (next !== null && next.due <= now) {
    const reached = timeline.lastUntil(now, first)!
    if (reached.due > now) {
      // It waits for its jitter. What came before it does not any more.
      next = reached
      latest = timeline.lastUntil(reached.instant - 1, first)!
    } else {
      next = timeline.after(reached.instant)
      latest = reached
    }
    before = timeline.lastUntil(latest.instant - 1, first)?.instant ?? first
  }
  const { catch_up, catch_up_window_s } = schedule
  const patience = catch_up === 'latest' ? catch_up_window_s * 1000 : PUNCTUAL_MS
  if (now - latest.due > patience) return { fires: null, missed: { first, last: latest.instant }, next }
  return { fires: latest, missed: before === null ? null : { first, last: before }, next }
}

/**
 * The first fire of a schedule that is put now. An instant that is pending under the schedule that it replaces, as while its jitter lasts,
 * stays pending if the new one names it too: a change loses nothing.
 * @param pending The instant that was next, in milliseconds since 1970.
 */
export function firstFire(
  schedule: Timing & Pick<Schedule, 'enabled'>,
  instants: Instants,
  now: number,
  pending: number | null = null,
): NextFire | null {
  if (!schedule.enabled) return null
  const timeline = createTimeline(schedule, instants)
  if (pending !== null && pending <= now) {
    const kept = timeline.after(pending - 1)
    if (kept?.instant === pending) return kept
  }
  return timeline.after(now)
}

/** What decides when a schedule fires, besides its expression. */
export type Timing = Pick<Schedule, 'stage' | 'starts_at' | 'ends_at' | 'jitter_s'>

/** The fires of a schedule: its instants between start and end, each put off by its jitter. */
interface Timeline {
  /** The first fire whose instant is after that. */
  after(instant: number): NextFire | null
  /** The last fire whose instant is not after `until`, of those after `from`. */
  lastUntil(until: number, from: number): NextFire | null
}

function createTimeline({ stage, starts_at, ends_at, jitter_s }: Timing, instants: Instants): Timeline {
  const start = starts_at === null ? -Infinity : Date.parse(starts_at)
  const end = ends_at === null ? Infinity : Date.parse(ends_at)

  const bounded: Instants = {
    after(instant) {
      const at = instants.after(Math.max(instant, start - 1))
      return at !== null && at < end ? at : null
    },
  }

  function fireAt(instant: number | null): NextFire | null {
    if (instant === null) return null
    if (jitter_s === 0) return { instant, due: instant }
    // Never past the next instant: fires come about in the order of their instants.
    const gap = (instants.after(instant) ?? Infinity) - instant
    return { instant, due: instant + Math.floor(fraction(stage, instant) * Math.min(jitter_s * 1000, gap)) }
  }

  return {
    after: (instant) => fireAt(bounded.after(instant)),
    lastUntil: (until, from) => fireAt(lastUntil(bounded, until, from)),
  }
}

/** So many instants are gone through one by one, before the last of them all is looked for. */
const STEPS = 8
/** Later than that is late for a schedule that makes up for nothing, in milliseconds. */
const PUNCTUAL_MS = 10_000

/** From 0 to below 1, evenly spread, and always the same for the same instant of the same stage. */
function fraction(stage: string, instant: number): number {
  return hash('sha256', `${stage} ${instant}`, 'buffer').readUIntBE(0, BYTES) / 2 ** (8 * BYTES)
}

/** As many as a number holds exactly. */
const BYTES = 6
