import { SkilletError } from '../model/errors.ts'

/** What a five-field expression says, as the values that each field allows. */
export interface Cron {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  /** Days of the month. */
  readonly days: readonly number[]
  readonly months: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
}

interface Field {
  readonly key: keyof Cron
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

/**
 * Reads a cron expression: minute, hour, day of month, month, day of week, each `*`, a value, a range, a step or a list of those. Months and
 * weekdays have English names of three letters in any case; 7 is Sunday too. A range may not run backwards, but for one that ends on Sunday.
 * Nothing else is taken: no seconds, no `@daily`, and no `L`, `W`, `#` or `?`, which schedulers read differently.
 * @throws SkilletError cron_invalid, naming the field
 */
export function parseCron(expression: string): Cron {
  const texts = expression.trim().split(/[ \t]+/)
  if (expression.length > MAX_CHARS)
    throw invalid(`The expression has ${expression.length} characters; at most ${MAX_CHARS} are taken.`)
  if (expression.trim() === '' || texts.length !== FIELDS.length) {
    throw invalid(
      `"${expression}" has ${expression.trim() === '' ? 0 : texts.length} fields; five are needed: minute hour day month weekday.`,
    )
  }
  const cron = Object.fromEntries(FIELDS.map((field, i) => [field.key, valuesOf(texts[i]!, field)])) as unknown as Cron
  if (
    cron.weekdays.length === WEEKDAYS &&
    !cron.days.some((day) => cron.months.some((month) => day <= LONGEST[month - 1]!))
  ) {
    throw invalid(`"${expression}" names days that none of its months has: it would never fire.`)
  }
  return cron
}

/** Whether the field allows everything, so that it restricts nothing. */
export const isFull = (cron: Cron, key: keyof Cron): boolean => {
  const { min, max } = FIELDS.find((field) => field.key === key)!
  return cron[key].length === (key === 'weekdays' ? WEEKDAYS : max - min + 1)
}

const MAX_CHARS = 256
const WEEKDAYS = 7
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const FIELDS: readonly Field[] = [
  { key: 'minutes', name: 'minute', min: 0, max: 59 },
  { key: 'hours', name: 'hour', min: 0, max: 23 },
  { key: 'days', name: 'day of month', min: 1, max: 31 },
  {
    key: 'months',
    name: 'month',
    min: 1,
    max: 12,
    names: ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { key: 'weekdays', name: 'day of week', min: 0, max: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
]

function valuesOf(text: string, field: Field): number[] {
  const values = new Set<number>()
  for (const item of text.split(','))
    for (const value of itemOf(item, field)) values.add(field.key === 'weekdays' ? value % WEEKDAYS : value)
  return [...values].toSorted((a, b) => a - b)
}

function* itemOf(item: string, field: Field): Generator<number> {
  const { name, min, max } = field
  const match = /^(?:(\*)|([0-9]{1,2}|[A-Za-z]{3})(?:-([0-9]{1,2}|[A-Za-z]{3}))?)(?:\/([0-9]{1,2}))?$/.exec(item)
  if (match === null) throw invalid(`The ${name} "${item}" is not a value, a range, a step or "*".${hint(item)}`)
  const [, star, first, last, by] = match
  if (star === undefined && last === undefined && by !== undefined) {
    throw invalid(
      `The ${name} "${item}" has a step without a range: write "${first}-${max === 7 ? 6 : max}/${by}" or "*/${by}".`,
    )
  }
  const step = by === undefined ? 1 : Number(by)
  if (step < 1) throw invalid(`The ${name} "${item}" has a step of 0.`)
  const from = star === undefined ? numberOf(first!, field) : min
  // A range such as FRI-SUN ends on the 7.
  const end =
    star !== undefined ? (field.key === 'weekdays' ? 6 : max) : last === undefined ? from : numberOf(last, field)
  const to = field.key === 'weekdays' && end === 0 && from > 0 ? 7 : end
  if (from > to) throw invalid(`The ${name} "${item}" runs backwards.`)
  for (let value = from; value <= to; value += step) yield value
}

function numberOf(text: string, { name, min, max, names }: Field): number {
  const named = names?.indexOf(text.toUpperCase()) ?? -1
  if (named >= 0) return named
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) {
    const also = names === undefined ? '' : ` or ${names[min === 1 ? 1 : 0]} to ${names.at(-1)}`
    throw invalid(`The ${name} "${text}" is not ${min} to ${max}${also}.`)
  }
  return value
}

const hint = (item: string): string =>
  /[LW#?@]/i.test(item) ? ' L, W, #, ? and @ are not taken: schedulers read them differently.' : ''

const invalid = (detail: string): SkilletError => new SkilletError('cron_invalid', detail)
