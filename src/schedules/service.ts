import type { Engine } from '../backends/ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { NextFire, Only } from '../backends/flow-ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { now as textOf } from '../model/json.ts'
import type {
  Fire,
  Schedule,
  ScheduleOutlook,
  ScheduleSpec,
  ScheduleSummary,
  ScheduleTiming,
} from '../model/schedules.ts'
import type { Stage } from '../model/skills.ts'
import { requireZone } from '../model/zones.ts'
import { firstFire } from './due.ts'
import { type Expressions, createExpressions } from './expressions.ts'
import { outlookOf } from './outlook.ts'
import { afterNow, checkSize, checkTiming, readTiming } from './spec.ts'

/** The schedules of stages, as callers see them. Who may do it was decided before. */
export interface SchedulesService {
  /**
   * One a stage; what is not said is the default, the zone that of the tenant.
   * @param spec.revision Only if that is the present one; 0: only if there is none.
   * @throws SkilletError not_found, zone_unknown, cron_invalid, schedule_invalid, schedule_changed; input_invalid, input_too_large,
   *   validation_timeout
   */
  put(
    caller: Caller,
    skill: string,
    stage: string,
    spec: ScheduleSpec & { readonly revision?: number | undefined },
  ): Promise<Schedule>
  /** @throws SkilletError not_found */
  find(tenant: string, skill: string, stage: string): Promise<Schedule>
  list(tenant: string, filter: PageOptions & { only?: Only | undefined }): Promise<Page<ScheduleSummary>>
  /** What became of its instants stays listed. @throws SkilletError not_found */
  remove(caller: Caller, skill: string, stage: string): Promise<void>
  /** What is enabled again fires from now on. Already so: nothing happens. @throws SkilletError not_found; schedule_invalid when it would never fire again */
  setEnabled(caller: Caller, skill: string, stage: string, enabled: boolean): Promise<Schedule>
  /** Of one that is not enabled: none. @throws SkilletError not_found */
  outlook(tenant: string, skill: string, stage: string, count: number): Promise<ScheduleOutlook>
  /** Of one that is nowhere yet. @throws SkilletError zone_unknown, cron_invalid, schedule_invalid */
  preview(tenant: string, timing: Unzoned<ScheduleTiming>, count: number): Promise<ScheduleOutlook>
  /** Newest first; of a schedule that is gone, too. @throws SkilletError not_found */
  fires(tenant: string, skill: string, stage: string, page: PageOptions): Promise<Page<Fire>>
}

type Unzoned<T extends { zone: string }> = Omit<T, 'zone'> & { readonly zone?: string | undefined }

/** What the service needs of other rooms. */
export interface ScheduleParts {
  readonly engine: Pick<Engine, 'access' | 'schedules'>
  /** By ids or names. @throws SkilletError not_found */
  readonly findStage: (tenant: string, skill: string, stage: string) => Promise<Stage>
  /** Against what the stage serves, if it serves anything. @throws SkilletError input_invalid, input_too_large, validation_timeout */
  readonly checkInput: (stage: Stage, input: unknown) => Promise<void>
  readonly expressions?: Expressions
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
}

export function createSchedulesService(parts: ScheduleParts): SchedulesService {
  const { engine, findStage, checkInput, expressions = createExpressions(), now = Date.now } = parts
  const { schedules } = engine

  async function zoneOf(tenant: string): Promise<string> {
    const found = await engine.access.findTenant(tenant)
    if (found === null) throw notFound('tenant', tenant)
    return found.zone
  }

  async function existing(tenant: string, skill: string, stageName: string): Promise<Schedule> {
    const stage = await findStage(tenant, skill, stageName)
    const schedule = await schedules.findSchedule(tenant, stage.id)
    if (schedule === null) throw noSchedule(skill, stageName)
    return schedule
  }

  /** Writes what `change` makes of the schedule as it is then: it may be changed by others meanwhile. */
  async function amend(
    caller: Caller,
    stage: Stage,
    change: (before: Schedule | null) => Change | null,
    revision?: number,
  ): Promise<Schedule> {
    for (let attempt = 1; ; attempt++) {
      const before = await schedules.findSchedule(caller.tenant, stage.id)
      const changed = change(before)
      if (changed === null) return before!
      const at = textOf(now())
      const { skill, id } = stage
      const row = { ...changed.spec, tenant: caller.tenant, skill, stage: id, created_by: caller.id, created_at: at }
      const note = noteOf(caller, 'schedule.put', { kind: 'schedule', id }, changed.detail)
      const expected = revision ?? before?.revision ?? 0
      try {
        return await schedules.putSchedule({ ...row, updated_at: at }, changed.next, expected, note)
      } catch (error) {
        const overtaken = error instanceof SkilletError && error.code === 'schedule_changed'
        if (!overtaken || revision !== undefined || attempt === ATTEMPTS) throw error
      }
    }
  }

  return {
    async put(caller, skill, stageName, { revision, ...said }) {
      const { tenant } = caller
      const stage = await findStage(tenant, skill, stageName)
      const spec = completed(said, requireZone(said.zone ?? (await zoneOf(tenant))))
      checkSize(spec.input)
      await checkInput(stage, spec.input)
      const { input: _never, ...detail } = spec
      const make = (before: Schedule | null): Change => ({ spec, next: nextOf(stage, spec, before), detail })
      return amend(caller, stage, make, revision)
    },

    find: existing,

    list: (tenant, filter) => schedules.listSchedules(tenant, filter),

    async remove(caller, skill, stageName) {
      const { id } = await findStage(caller.tenant, skill, stageName)
      const note = noteOf(caller, 'schedule.delete', { kind: 'schedule', id })
      if (!(await schedules.deleteSchedule(caller.tenant, id, note))) throw noSchedule(skill, stageName)
    },

    async setEnabled(caller, skill, stageName, enabled) {
      const stage = await findStage(caller.tenant, skill, stageName)
      return amend(caller, stage, (before) => {
        if (before === null) throw noSchedule(skill, stageName)
        if (before.enabled === enabled) return null
        const { revision: _revision, last: _last, next_at: _next, ...kept } = before
        const spec = { ...kept, enabled }
        return { spec, next: enabled ? nextOf(stage, spec, before) : null, detail: { enabled } }
      })
    },

    async outlook(tenant, skill, stageName, count) {
      const schedule = await existing(tenant, skill, stageName)
      const timing = readTiming(schedule, expressions)
      return outlookOf(schedule, timing, pendingOr(afterNow(timing, now()), schedule), schedule.enabled ? count : 0)
    },

    async preview(tenant, said, count) {
      const timing = { ...said, zone: requireZone(said.zone ?? (await zoneOf(tenant))) }
      const at = now()
      const checked = checkTiming(timing, expressions, at)
      return outlookOf(timing, checked, afterNow(checked, at), count)
    },

    async fires(tenant, skill, stageName, page) {
      return schedules.listFires(tenant, (await findStage(tenant, skill, stageName)).id, page)
    },
  }

  function nextOf(stage: Stage, spec: CompleteSpec, before: Schedule | null): NextFire | null {
    const at = now()
    const { instants } = checkTiming(spec, expressions, at)
    const pending = before?.next_at ?? null
    return firstFire({ ...spec, stage: stage.id }, instants, at, pending === null ? null : Date.parse(pending))
  }
}

type CompleteSpec = ScheduleSpec & Pick<Schedule, 'zone'>

interface Change {
  readonly spec: CompleteSpec
  readonly next: NextFire | null
  readonly detail: Readonly<Record<string, unknown>>
}

/** How often a change is tried while others change the same schedule. */
const ATTEMPTS = 10

const noSchedule = (skill: string, stage: string): SkilletError => notFound('schedule of stage', `${skill}/${stage}`)

/** Instants as they are written everywhere. */
function completed(spec: ScheduleSpec, zone: string): CompleteSpec {
  const { input = {}, starts_at, ends_at } = spec
  return { ...spec, zone, input, starts_at: rewritten(starts_at), ends_at: rewritten(ends_at) }
}

const rewritten = (instant: string | null): string | null => (instant === null ? null : textOf(Date.parse(instant)))

/** One that is still put off by its jitter is the next. */
function pendingOr(after: number, { next_at, jitter_s }: Schedule): number {
  const pending = next_at === null ? Infinity : Date.parse(next_at)
  return pending + jitter_s * 1000 >= after ? Math.min(after, pending - 1) : after
}
