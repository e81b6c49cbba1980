import { Cron as Croner } from 'croner'
import { type Cron, isFull } from './cron.ts'
import { wallClock } from './wall-clock.ts'

/** The instants of an expression in a zone, in milliseconds since 1970. */
export interface Instants {
  /** The first one after that instant; null: there is none. */
  after(instant: number): number | null
}

/**
 * When a schedule fires (DESIGN 9). A local time that does not exist is skipped; one that occurs twice fires in the first pass only, except
 * where every hour is meant: then elapsed time counts. A day counts when either the day of the month or the weekday fits, if both are
 * restricted. `after` gives the same answers whatever it is asked from, so that a stored instant stays true.
 */
export function createInstants(cron: Cron, zone: string): Instants {
  const croner = new Croner(expression(cron), { timezone: zone, mode: '5-part' })
  const clock = wallClock(zone)
  const everyHour = isFull(cron, 'hours')
  return {
    after(instant) {
      let at = croner.nextRun(new Date(instant))
      // The library moves a time in a gap to its end: that is no match.
      while (at !== null && (!croner.match(at) || (!everyHour && clock.isSecondPass(at.getTime()))))
        at = croner.nextRun(at)
      return at?.getTime() ?? null
    },
  }
}

/** All values written out: whether a field restricts is a matter of its values, not of how it is written. */
function expression(cron: Cron): string {
  return (['minutes', 'hours', 'days', 'months', 'weekdays'] as const)
    .map((key) => (isFull(cron, key) ? '*' : cron[key].join(',')))
    .join(' ')
}
