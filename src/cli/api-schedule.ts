import type { Fire, Schedule, ScheduleOutlook, ScheduleSpec, ScheduleSummary } from '../model/schedules.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Http } from './http.ts'

/** A schedule as it is put; what is left out is the default. */
export type SchedulePut = Partial<ScheduleSpec> & { readonly cron: string; readonly revision: number }

export interface PreviewRequest extends Partial<Pick<ScheduleSpec, 'zone' | 'starts_at' | 'ends_at'>> {
  readonly cron: string
  readonly count: number
}

/** Calls about schedules. */
export function createScheduleApi({ ok, call }: Http) {
  return {
    /** Null: there is none. */
    async findSchedule(skill: string, stage: string): Promise<Schedule | null> {
      const { status, body } = await call<Schedule>('GET', schedulePath(skill, stage))
      if (status === 200) return body
      if (status !== 404) return ok('GET', schedulePath(skill, stage))
      // A stage that is not there is told of as such.
      await ok('GET', stagePath(skill, stage))
      return null
    },
    showSchedule: (skill: string, stage: string): Promise<Schedule> => ok('GET', schedulePath(skill, stage)),
    putSchedule: (skill: string, stage: string, body: SchedulePut): Promise<Schedule> =>
      ok('PUT', schedulePath(skill, stage), { body }),
    deleteSchedule: (skill: string, stage: string): Promise<void> => ok('DELETE', schedulePath(skill, stage)),
    enableSchedule: (skill: string, stage: string, enabled: boolean): Promise<Schedule> =>
      ok('POST', `${schedulePath(skill, stage)}/${enabled ? 'resume' : 'pause'}`),
    outlook: (skill: string, stage: string, count: number): Promise<ScheduleOutlook> =>
      ok('GET', `${schedulePath(skill, stage)}/next`, { query: { count } }),
    listFires: (skill: string, stage: string, query: PageOptions): Promise<Page<Fire>> =>
      ok('GET', `${schedulePath(skill, stage)}/fires`, { query: { ...query } }),
    listSchedules: (query: PageOptions): Promise<Page<ScheduleSummary>> =>
      ok('GET', '/api/schedules', { query: { ...query } }),
    previewSchedule: (body: PreviewRequest): Promise<ScheduleOutlook> => ok('POST', '/api/schedules/preview', { body }),
  }
}

const stagePath = (skill: string, stage: string): string =>
  `/api/skills/${encodeURIComponent(skill)}/stages/${encodeURIComponent(stage)}`
const schedulePath = (skill: string, stage: string): string => `${stagePath(skill, stage)}/schedule`
