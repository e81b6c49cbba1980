import { z } from 'zod'
import { AnyJson, Instant } from './json.ts'

/** What a stage's schedule says. DESIGN 9: five fields, an IANA zone, at most one catch-up, overlap skipped unless told otherwise. */
export const ScheduleSpec = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: 'Nothing fires while this is false.' }),
    cron: z.string().min(1).max(256).meta({
      description: 'Minute, hour, day of month, month, weekday. Both days restricted: either counts.',
      example: '0 6 * * MON-FRI',
    }),
    zone: z.string().min(1).max(100).optional().meta({
      description: "IANA zone whose clocks are meant. Default: the tenant's.",
      example: 'Europe/Berlin',
    }),
    input: AnyJson.optional().meta({ description: 'What each run is given. Default: {}.' }),
    starts_at: Instant.nullable().default(null).meta({ description: 'Nothing fires before.' }),
    ends_at: Instant.nullable().default(null).meta({ description: 'Nothing fires at or after.' }),
    jitter_s: z.number().int().min(0).max(3600).default(0).meta({
      description:
        'Each fire is put off by up to so many seconds, never past the next, and always the same for the same instant. Default 0.',
    }),
    overlap: z
      .enum(['skip', 'queue_one', 'allow', 'cancel_other'])
      .default('skip')
      .meta({
        description:
          'While a run of this schedule is not over. skip: no run. queue_one: one waits for its end, more are skipped. ' +
          'allow: they run at once. cancel_other: it is cancelled, and the new one waits for its end. Default skip.',
      }),
    catch_up: z.enum(['none', 'latest']).default('latest').meta({
      description:
        'Of fires that were missed, as while the server was down, the latest is made up for, or none. Default latest.',
    }),
    catch_up_window_s: z.number().int().min(10).max(86_400).default(3600).meta({
      description: 'What was missed longer ago is not made up for, in seconds. Default 3600.',
    }),
  })
  .meta({ id: 'ScheduleSpec' })
export type ScheduleSpec = z.infer<typeof ScheduleSpec>

/**
 * What became of one fire. `started`: there is a run, which may have failed at once, with its reason. `held`: its run waits for the end of
 * another. `skipped`: an earlier run was not over. `missed`: the server was not there, and it is not made up for.
 */
export const FireOutcome = z.enum(['started', 'held', 'skipped', 'missed']).meta({ id: 'FireOutcome' })
export type FireOutcome = z.infer<typeof FireOutcome>

/** One instant of a schedule: there is never a second one for the same stage and instant. */
export const Fire = z
  .object({
    stage: z.string(),
    scheduled_for: Instant,
    outcome: FireOutcome,
    run: z.string().nullable(),
    /** Of missed ones that are told of together: the last. */
    missed_until: Instant.nullable(),
    fired_at: Instant,
  })
  .meta({ id: 'Fire' })
export type Fire = z.infer<typeof Fire>

/** The schedule of a stage. */
export const Schedule = ScheduleSpec.required({ zone: true })
  .extend({
    tenant: z.string(),
    skill: z.string(),
    stage: z.string(),
    /** Goes up with every change by a caller: a fire is conditional on it. */
    revision: z.number().int(),
    next_at: Instant.nullable().meta({ description: 'The next instant, without jitter. null: none.' }),
    last: Fire.nullable(),
    created_by: z.string(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Schedule' })
export type Schedule = z.infer<typeof Schedule>

/** A schedule in a list: without the input, which may be large. */
export const ScheduleSummary = Schedule.omit({ input: true }).meta({ id: 'ScheduleSummary' })
export type ScheduleSummary = z.infer<typeof ScheduleSummary>

/** What decides at which instants a schedule fires. */
export type ScheduleTiming = Pick<Schedule, 'cron' | 'zone' | 'starts_at' | 'ends_at'>

/** One instant, as UTC and as the clocks of the zone show it. */
export const FireTime = z
  .object({
    utc: Instant,
    local: z.string().meta({ description: 'With its offset from UTC.', example: '2026-11-22T06:00:00+01:00' }),
    zone: z.string(),
  })
  .meta({ id: 'FireTime' })
export type FireTime = z.infer<typeof FireTime>

/** When a schedule fires next, and how EventBridge Scheduler is told the same. */
export const ScheduleOutlook = z
  .object({
    cron: z.string(),
    zone: z.string(),
    next: z.array(FireTime).meta({ description: 'Soonest first, without jitter.' }),
    eventbridge: z.array(z.string()).meta({
      description:
        'Expressions of EventBridge Scheduler for the same instants: two where day of month and weekday are both restricted.',
    }),
  })
  .meta({ id: 'ScheduleOutlook' })
export type ScheduleOutlook = z.infer<typeof ScheduleOutlook>

/** Who began a run that a schedule began. No principal has such an id. */
export const scheduleActor = (stage: string): string => `schedule:${stage}`
