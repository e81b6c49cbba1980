import { SkilletError } from '../model/errors.ts'
import { now as textOf } from '../model/json.ts'
import type { ScheduleTiming } from '../model/schedules.ts'
import { LIMITS } from '../model/sizes.ts'
import { requireZone } from '../model/zones.ts'
import type { Expressions } from './expressions.ts'
import type { Instants } from './instants.ts'

/** A timing that holds together, with what computes its instants. Start and end in milliseconds since 1970. */
export interface CheckedTiming {
  readonly instants: Instants
  readonly start: number
  readonly end: number
}

/** @throws SkilletError zone_unknown, cron_invalid */
export function readTiming(
  { cron, zone, starts_at, ends_at }: ScheduleTiming,
  expressions: Expressions,
): CheckedTiming {
  return {
    instants: expressions(cron, requireZone(zone)),
    start: starts_at === null ? -Infinity : Date.parse(starts_at),
    end: ends_at === null ? Infinity : Date.parse(ends_at),
  }
}

/**
 * What is put or tried out has to fire at least once from now on.
 * @param now Milliseconds since 1970.
 * @throws SkilletError zone_unknown, cron_invalid, schedule_invalid
 */
export function checkTiming(timing: ScheduleTiming, expressions: Expressions, now: number): CheckedTiming {
  const checked = readTiming(timing, expressions)
  const { instants, start, end } = checked
  const { cron, zone, starts_at, ends_at } = timing
  if (start >= end) throw invalid(`It ends (${ends_at}) before or when it starts (${starts_at}).`)
  if (end <= now) throw invalid(`It ended at ${ends_at}; it is ${textOf(now)} now.`)
  const first = instants.after(afterNow(checked, now))
  if (first === null || first >= end) {
    const from = start > now ? starts_at : 'now'
    throw invalid(
      `"${cron}" in ${zone} names no instant from ${from} on${ends_at === null ? '' : ` before ${ends_at}`}.`,
    )
  }
  return checked
}

/** The instant after which the next one is looked for: one at the very start counts. */
export const afterNow = ({ start }: Pick<CheckedTiming, 'start'>, now: number): number => Math.max(now, start - 1)

/** An input is read at each fire, together with those of other schedules. @throws SkilletError input_too_large */
export function checkSize(input: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(input))
  if (bytes <= LIMITS.scheduleInputBytes) return
  throw new SkilletError(
    'input_too_large',
    `The input of the schedule has ${bytes} bytes as JSON; at most ${LIMITS.scheduleInputBytes} are taken.`,
  )
}

const invalid = (detail: string): SkilletError => new SkilletError('schedule_invalid', detail)
