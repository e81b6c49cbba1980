import type { Run } from '../model/runs.ts'
import type { Fire, FireTime, Schedule, ScheduleOutlook } from '../model/schedules.ts'
import type { Api } from './api.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import { clip, table } from './table.ts'

/** A schedule as people are shown it. `run`: that of the last fire, if it is still kept. */
export interface ScheduleView {
  /** As skill/stage. */
  readonly name: string
  readonly schedule: Schedule
  readonly outlook: ScheduleOutlook
  readonly run: Run | null
}

export async function viewSchedule(api: Api, skill: string, stage: string, schedule: Schedule): Promise<ScheduleView> {
  const outlook = await api.outlook(skill, stage, SHOWN)
  const run = schedule.last?.run ?? null
  return { name: `${skill}/${stage}`, schedule, outlook, run: run === null ? null : await findRun(api, run) }
}

export function scheduleText({ name, schedule, outlook, run }: ScheduleView): string {
  const { cron, zone, enabled, starts_at, ends_at, jitter_s, overlap, catch_up, catch_up_window_s, input } = schedule
  const resume = `skillet schedule resume ${name.replace('/', ' ')}`
  const rows: [string, string | null][] = [
    ['state', enabled ? 'enabled' : `paused: nothing fires. To let it: ${resume}`],
    ['starts', starts_at],
    ['ends', ends_at],
    ['jitter', jitter_s === 0 ? null : `up to ${jitter_s} s`],
    ['overlap', overlap],
    ['catch-up', catch_up === 'none' ? 'none' : `the latest of the last ${catch_up_window_s} s`],
    ['input', clip(JSON.stringify(input))],
    ['last', schedule.last === null ? null : lastText(schedule.last, run)],
  ]
  const lines = rows.filter(([, value]) => value !== null).map(([title, value]) => `${title.padEnd(10)}${value}\n`)
  return `${name}  ${cron}  ${zone}\n${lines.join('')}\n${outlookText(outlook)}`
}

/** Local times first: those are what an expression is read wrongly in. */
export function outlookText({ zone, next }: ScheduleOutlook): string {
  if (next.length === 0) return 'It fires at no time: it is paused, or over.\n'
  return table(
    [`NEXT IN ${zone}`, 'UTC'],
    next.map((time) => [localText(time), time.utc]),
  )
}

/** With the day of the week, which nobody has in mind. */
function localText({ local }: FireTime): string {
  const weekday = WEEKDAYS[new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay()]
  return `${weekday} ${local.slice(0, 10)} ${local.slice(11, 16)} ${local.slice(19)}`
}

function lastText({ scheduled_for, outcome, run, missed_until }: Fire, found: Run | null): string {
  switch (outcome) {
    case 'missed':
      return `${scheduled_for}${missed_until === null ? '' : ` to ${missed_until}`} missed, and not made up for`
    case 'skipped':
      return `${scheduled_for} skipped: an earlier run was not over`
    default: {
      const why = found?.error?.message === undefined ? '' : `: ${clip(found.error.message)}`
      return `${scheduled_for} ${outcome} ${run}, ${found === null ? 'which is not kept any more' : `${found.status}${why}`}`
    }
  }
}

/** Null: it is not kept any more. */
async function findRun(api: Api, id: string): Promise<Run | null> {
  return api.findRun(id).catch((error: unknown) => {
    if (error instanceof CliError && error.exitCode === EXIT.notFound) return null
    throw error
  })
}

const SHOWN = 5
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
