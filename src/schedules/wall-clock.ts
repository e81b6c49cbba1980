/** The clocks on the wall of a zone. */
export interface WallClock {
  /** What they show at an instant, as if it were UTC, in milliseconds. */
  shown(instant: number): number
  /** Whether they showed the same a while ago, because they were turned back since. */
  isSecondPass(instant: number): boolean
}

/** @throws RangeError when the zone is unknown to the runtime. */
export function wallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  function shown(instant: number): number {
    const part: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value)
    const { year, month, day, hour, minute, second } = part
    return Date.UTC(year!, month! - 1, day, hour, minute, second)
  }
  return {
    shown,
    isSecondPass(instant) {
      const now = shown(instant)
      // By how much they were turned back in the last hours, if they were.
      const turned = shown(instant - LOOK_BACK_MS) + LOOK_BACK_MS - now
      return turned > 0 && shown(instant - turned) === now
    },
  }
}

/** Clocks are turned back by up to two hours, and a time stays repeated for as long. */
const LOOK_BACK_MS = 4 * 3_600_000
