import { z } from 'zod'
import { AnyJson, Instant } from './json.ts'

/**
 * What happens in a tenant, in one order: how its runs go (without their logs), and what schedules and webhooks did.
 * `run.status` and `run.result` carry what the run's own event carries; the others an object.
 */
export const ActivityType = z
  .enum(['run.status', 'run.result', 'schedule.skipped', 'schedule.missed', 'webhook.disabled'])
  .meta({ id: 'ActivityType' })
export type ActivityType = z.infer<typeof ActivityType>

export const Activity = z
  .object({
    id: z.string().meta({ description: 'Opaque; what came later is read after it.' }),
    type: ActivityType,
    at: Instant,
    skill: z.string(),
    skill_name: z.string(),
    stage: z.string(),
    stage_name: z.string().nullable().meta({ description: 'null: it is gone.' }),
    run: z.string().nullable(),
    seq: z.number().int().nullable().meta({ description: "Number of the run's own event." }),
    data: AnyJson,
  })
  .meta({ id: 'Activity' })
export type Activity = z.infer<typeof Activity>
