/** The calendar day and month of an instant in a time zone, and when the next ones begin there. Instants in milliseconds since 1970. */
export interface Periods {
  /** `YYYY-MM-DD` and `YYYY-MM`: they sort by time. */
  readonly day: string
  readonly month: string
  readonly dayEnds: number
  readonly monthEnds: number
}

/** @param zone IANA zone. @throws RangeError when there is no such zone. */
export function periodsAt(zone: string, at: number): Periods {
  // Every run asks, nearly always for the day that was asked for last.
  const known = cache.get(zone)
  if (known !== undefined && at >= known.from && at < known.periods.dayEnds) return known.periods
  const day = dayOf(formatOf(zone), at)
  const month = day.slice(0, 7)
  const periods = { day, month, dayEnds: dayEnd(zone, day), monthEnds: monthEnd(zone, month) }
  cache.set(zone, { from: at, periods })
  return periods
}

/** When the day after the given one begins. A day that a zone left out has no length. */
export function dayEnd(zone: string, day: string): number {
  return beginning(zone, dateAfter(day))
}

/** When the month after the given one begins. */
export function monthEnd(zone: string, month: string): number {
  // No month has 32 days.
  return beginning(zone, `${dateAfter(`${month}-01`, 31).slice(0, 7)}-01`)
}

/** Zones are few: those that the machine knows. */
const cache = new Map<string, { readonly from: number; readonly periods: Periods }>()
const formats = new Map<string, Intl.DateTimeFormat>()

const HOUR = 3_600_000
/** No clock on Earth is farther from UTC, now or in the tables. */
const FARTHEST = 16 * HOUR

/**
 * The first instant whose date is the given one or a later one: midnight, or where clocks skip midnight, the end of the gap.
 * Found by asking for dates only, as offsets may change in between.
 */
function beginning(zone: string, date: string): number {
  const format = formatOf(zone)
  let before = Date.parse(`${date}T00:00:00.000Z`) - FARTHEST
  let reached = before + 2 * FARTHEST
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2)
    if (dayOf(format, middle) >= date) reached = middle
    else before = middle
  }
  return reached
}

function dateAfter(date: string, days = 1): string {
  return new Date(Date.parse(`${date}T00:00:00.000Z`) + days * 24 * HOUR).toISOString().slice(0, 10)
}

function dayOf(format: Intl.DateTimeFormat, at: number): string {
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return `${part['year']}-${part['month']}-${part['day']}`
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    const digits = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { ...digits, timeZone: zone })
    formats.set(zone, format)
  }
  return format
}
