import { now } from '../../model/json.ts'
import type { Fire, Schedule, ScheduleSpec, ScheduleSummary } from '../../model/schedules.ts'
import type { NextFire } from '../flow-ports.ts'

/** What of a schedule is decided by callers. */
export type KeptSchedule = Omit<Schedule, 'last' | 'next_at'>

export interface ScheduleRow extends Pick<
  Schedule,
  'stage' | 'tenant' | 'skill' | 'revision' | 'created_by' | 'created_at' | 'updated_at'
> {
  readonly spec: string
  readonly input: string
  readonly instant: number | null
  readonly due: number | null
}

/** With its last fire, in columns of their own names. */
export interface ScheduleWithLast extends ScheduleRow {
  readonly scheduled_for: string | null
  readonly outcome: Fire['outcome'] | null
  readonly run: string | null
  readonly missed_until: string | null
  readonly fired_at: string | null
}

export function toKept({ spec, input, instant: _instant, due: _due, ...row }: ScheduleRow): KeptSchedule {
  return { ...parsed(spec), input: JSON.parse(input) as unknown, ...row }
}

const parsed = (spec: string): Omit<ScheduleSpec, 'input'> & Pick<Schedule, 'zone'> =>
  JSON.parse(spec) as Omit<ScheduleSpec, 'input'> & Pick<Schedule, 'zone'>

/** The same of a row that was read with more. */
export function withoutLast(found: ScheduleWithLast): KeptSchedule {
  const { scheduled_for: _for, outcome: _outcome, run: _run, missed_until: _until, fired_at: _at, ...row } = found
  return toKept(row)
}

export function toSchedule(found: ScheduleWithLast): Schedule {
  return { ...toSummary(found), input: JSON.parse(found.input) as unknown }
}

/** What a list reads of a row. */
export const SUMMARY_COLUMNS = 'stage, tenant, skill, spec, revision, instant, due, created_by, created_at, updated_at'

export function toSummary(found: Omit<ScheduleWithLast, 'input'>): ScheduleSummary {
  const { stage, tenant, skill, spec, revision, instant, created_by, created_at, updated_at } = found
  const { scheduled_for, outcome, run, missed_until, fired_at } = found
  const last =
    scheduled_for === null ? null : { stage, scheduled_for, outcome: outcome!, run, missed_until, fired_at: fired_at! }
  const row = { stage, tenant, skill, revision, created_by, created_at, updated_at }
  return { ...parsed(spec), ...row, next_at: instant === null ? null : now(instant), last }
}

/** Of a row that is due. */
export const nextOf = ({ instant, due }: ScheduleRow): NextFire => ({ instant: instant!, due: due! })

/** JSON of what the caller said, but for the input. */
export function specOf(schedule: KeptSchedule): string {
  const { enabled, cron, zone, starts_at, ends_at, jitter_s, overlap, catch_up, catch_up_window_s } = schedule
  const spec = { enabled, cron, zone, starts_at, ends_at, jitter_s, overlap, catch_up, catch_up_window_s }
  return JSON.stringify(spec satisfies ScheduleSpec)
}
