import { type Cron, isFull } from './cron.ts'

/**
 * The EventBridge Scheduler expressions that fire at the same instants: one, or two where day of month and weekday are both restricted,
 * since EventBridge wants one of them to be `?`. A day that both name then fires twice: the run's id is made of schedule and instant.
 * Source: EventBridge Scheduler user guide, schedule types: weekdays are 1 to 7 from Sunday, an expression has at most 256 characters.
 */
export function toEventBridge(cron: Cron): string[] {
  const time = `${field(cron, 'minutes')} ${field(cron, 'hours')}`
  const month = field(cron, 'months')
  const byDay = `cron(${time} ${field(cron, 'days')} ${month} ? *)`
  const byWeekday = `cron(${time} ? ${month} ${field(cron, 'weekdays')} *)`
  if (isFull(cron, 'weekdays')) return [byDay]
  return isFull(cron, 'days') ? [byWeekday] : [byDay, byWeekday]
}

function field(cron: Cron, key: keyof Cron): string {
  if (isFull(cron, key)) return '*'
  const shift = key === 'weekdays' ? 1 : 0
  return ranges(cron[key].map((value) => value + shift))
}

/** Neighbours as ranges: a list of all odd minutes is long enough as it is. */
function ranges(values: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < values.length; i++) {
    let end = i
    while (values[end + 1] === values[end]! + 1) end++
    parts.push(end > i + 1 ? `${values[i]}-${values[end]}` : String(values[i]))
    if (end > i + 1) i = end
  }
  return parts.join(',')
}
