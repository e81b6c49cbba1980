import { setImmediate as otherWork } from 'node:timers/promises'
import { now as textOf } from '../model/json.ts'
import type { FireTime } from '../model/schedules.ts'
import type { Instants } from './instants.ts'
import { type WallClock, wallClock } from './wall-clock.ts'

/** Most times that are named at once: of `0 0 29 2 *` these reach four centuries ahead, in some hundredths of a second. */
export const MOST_FIRES = 100

/**
 * The first instants after one and before another (milliseconds since 1970), soonest first. Others get their turn between them: one takes
 * up to a millisecond or so, where no day for years is the right one.
 * @param count At most MOST_FIRES.
 */
export async function nextFires(
  instants: Instants,
  zone: string,
  { after, before, count }: { readonly after: number; readonly before: number; readonly count: number },
): Promise<FireTime[]> {
  const clock = wallClock(zone)
  const times: FireTime[] = []
  let since = performance.now()
  let last = after
  while (times.length < Math.min(count, MOST_FIRES)) {
    const at = instants.after(last)
    if (at === null || at >= before) break
    times.push({ utc: textOf(at), local: localText(clock, at), zone })
    last = at
    if (performance.now() - since > TURN_MS) {
      await otherWork()
      since = performance.now()
    }
  }
  return times
}

/** After so many milliseconds others get their turn. */
const TURN_MS = 5
const MINUTE_MS = 60_000

/** RFC 3339 with the offset of that moment, such as 2026-11-22T06:00:00+01:00. */
function localText(clock: WallClock, at: number): string {
  const shown = clock.shown(at)
  const minutes = Math.round((shown - at) / MINUTE_MS)
  const offset = `${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
  return `${new Date(shown).toISOString().slice(0, 19)}${minutes < 0 ? '-' : '+'}${offset}`
}

const two = (value: number): string => String(value).padStart(2, '0')
