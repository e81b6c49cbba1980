import { z } from 'zod'
import { placesOf } from '../../model/coverage.ts'
import { Fire, Schedule, ScheduleOutlook, ScheduleSpec, ScheduleSummary } from '../../model/schedules.ts'
import { MOST_FIRES } from '../../schedules/next-fires.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const ONE = '/api/skills/{skill}/stages/{stage}/schedule'

const COUNTED = { description: `So many instants, up to ${MOST_FIRES}. Default 5.` }

export const scheduleRoutes = ({ schedules }: Pick<Services, 'schedules'>): Route[] => [
  route({
    id: 'putSchedule',
    tag: 'schedules',
    method: 'PUT',
    path: ONE,
    access: 'stages.write',
    summary: 'Run a stage by the clock',
    description:
      'Replaces the schedule that the stage has: what is left out is the default. The input is checked against what the stage serves, if it serves anything.',
    body: ScheduleSpec.extend({
      revision: z
        .number()
        .int()
        .optional()
        .meta({ description: 'Only if the schedule has it; 0: only if there is none.' }),
    }),
    responses: { 200: { description: 'The schedule as it is now.', schema: Schedule } },
    errors: [
      'zone_unknown',
      'cron_invalid',
      'schedule_invalid',
      'schedule_changed',
      'input_invalid',
      'input_too_large',
      'validation_timeout',
    ],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await schedules.put(caller, params.skill, params.stage, body),
    }),
  }),
  route({
    id: 'getSchedule',
    tag: 'schedules',
    method: 'GET',
    path: ONE,
    access: 'schedules.read',
    summary: 'Show the schedule of a stage, and what became of its last instant',
    responses: { 200: { description: 'The schedule.', schema: Schedule } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await schedules.find(caller.tenant, params.skill, params.stage),
    }),
  }),
  route({
    id: 'deleteSchedule',
    tag: 'schedules',
    method: 'DELETE',
    path: ONE,
    access: 'stages.write',
    summary: 'Delete the schedule of a stage',
    description: 'Runs that it began go on, and what became of its instants stays listed.',
    responses: { 204: { description: 'Deleted.' } },
    errors: [],
    async handle({ caller, params }) {
      await schedules.remove(caller, params.skill, params.stage)
      return { status: 204 }
    },
  }),
  route({
    id: 'pauseSchedule',
    tag: 'schedules',
    method: 'POST',
    path: `${ONE}/pause`,
    access: 'stages.write',
    summary: 'Let a schedule fire no more',
    description: 'Sets `enabled` to false and leaves all else. What would have fired meanwhile is not made up for.',
    responses: { 200: { description: 'The schedule as it is now.', schema: Schedule } },
    errors: ['schedule_changed'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await schedules.setEnabled(caller, params.skill, params.stage, false),
    }),
  }),
  route({
    id: 'resumeSchedule',
    tag: 'schedules',
    method: 'POST',
    path: `${ONE}/resume`,
    access: 'stages.write',
    summary: 'Let a schedule fire again, from now on',
    responses: { 200: { description: 'The schedule as it is now.', schema: Schedule } },
    errors: ['schedule_changed', 'schedule_invalid', 'zone_unknown'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await schedules.setEnabled(caller, params.skill, params.stage, true),
    }),
  }),
  route({
    id: 'getScheduleOutlook',
    tag: 'schedules',
    method: 'GET',
    path: `${ONE}/next`,
    access: 'schedules.read',
    summary: 'Show when a schedule fires next, in UTC and in its zone',
    description: 'Of a schedule that is paused: never.',
    query: z.strictObject({ count: z.coerce.number().int().min(1).max(MOST_FIRES).default(5).meta(COUNTED) }),
    responses: { 200: { description: 'When it fires.', schema: ScheduleOutlook } },
    errors: ['zone_unknown'],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await schedules.outlook(caller.tenant, params.skill, params.stage, query.count),
    }),
  }),
  route({
    id: 'listFires',
    tag: 'schedules',
    method: 'GET',
    path: `${ONE}/fires`,
    access: 'schedules.read',
    summary: 'List what became of the instants of a schedule, newest first',
    description: 'Of a schedule that was deleted, too.',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Fire) } },
    errors: [],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await schedules.fires(caller.tenant, params.skill, params.stage, query),
    }),
  }),
  route({
    id: 'listSchedules',
    tag: 'schedules',
    method: 'GET',
    path: '/api/schedules',
    access: 'schedules.read',
    summary: 'List the schedules, those of the newest stages first',
    description: 'Whoever needs a grant sees those of skills and stages that it covers.',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(ScheduleSummary) } },
    errors: [],
    handle: async ({ caller, query, coverage }) => ({
      status: 200,
      body: await schedules.list(caller.tenant, { ...query, only: placesOf(coverage) }),
    }),
  }),
  route({
    id: 'previewSchedule',
    tag: 'schedules',
    method: 'POST',
    path: '/api/schedules/preview',
    access: 'schedules.read',
    summary: 'Show when a schedule would fire, without making it',
    body: ScheduleSpec.pick({ cron: true, zone: true, starts_at: true, ends_at: true }).extend({
      count: z.number().int().min(1).max(MOST_FIRES).default(5).meta(COUNTED),
    }),
    responses: { 200: { description: 'When it would fire.', schema: ScheduleOutlook } },
    errors: ['zone_unknown', 'cron_invalid', 'schedule_invalid'],
    handle: async ({ caller, body: { count, ...timing } }) => ({
      status: 200,
      body: await schedules.preview(caller.tenant, timing, count),
    }),
  }),
]
