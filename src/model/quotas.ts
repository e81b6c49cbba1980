import { z } from 'zod'
import { Instant } from './json.ts'

const Cap = z.number().int().min(0).max(1_000_000_000).nullable().optional()

/** Largest amounts; null or missing: none. Days and months are calendar ones in the tenant's zone. Minutes are billable ones. */
export const Caps = z
  .strictObject({
    runs_per_day: Cap,
    runs_per_month: Cap,
    minutes_per_day: Cap,
    minutes_per_month: Cap,
    concurrent_runs: Cap,
  })
  .meta({ id: 'Caps' })
export type Caps = z.infer<typeof Caps>
export const CAP_NAMES = Object.keys(Caps.shape) as CapName[]
export type CapName = keyof Caps

/** What holds for a tenant: the smaller of what its operator and what its owner set, and below that the caps of single skills. */
export const Quota = z
  .object({
    tenant: z.string(),
    zone: z.string(),
    ceiling: Caps.meta({ description: 'Set by the operator.' }),
    caps: Caps.meta({ description: 'Set by the owner.' }),
    skills: z.array(z.object({ skill: z.string(), caps: Caps })),
  })
  .meta({ id: 'Quota' })
export type Quota = z.infer<typeof Quota>

/** Where a tenant or one of its skills stands. */
export const QuotaState = z
  .object({
    skill: z.string().nullable().meta({ description: 'null: the whole tenant.' }),
    caps: z.array(
      z.object({
        cap: z.enum(CAP_NAMES as [CapName, ...CapName[]]),
        limit: z.number(),
        used: z.number(),
        resets_at: Instant.nullable().meta({ description: 'null: when a run ends.' }),
      }),
    ),
  })
  .meta({ id: 'QuotaState' })
export type QuotaState = z.infer<typeof QuotaState>

/** Why a run was not executed. */
export const Throttle = z
  .object({
    cap: z.enum([...(CAP_NAMES as [CapName, ...CapName[]]), 'suspended']),
    skill: z.string().nullable().meta({ description: 'Whose cap it is; null: that of the whole tenant.' }),
    limit: z.number(),
    resets_at: Instant.nullable(),
  })
  .meta({ id: 'Throttle' })
export type Throttle = z.infer<typeof Throttle>

const Amount = z.number().int().min(0)

/** Sums over runs that have ended. */
export const UsageTotals = z
  .object({
    runs: Amount.meta({ description: 'Executed ones: throttled and never begun ones are not among them.' }),
    succeeded: Amount,
    failed: Amount,
    cancelled: Amount,
    throttled: Amount,
    billable_ms: Amount.meta({ description: 'Execution, never queueing.' }),
    cpu_ms: Amount.meta({ description: 'Where it could be measured.' }),
    peak_memory_bytes: Amount.meta({ description: 'Of the run that took most.' }),
  })
  .meta({ id: 'UsageTotals' })
export type UsageTotals = z.infer<typeof UsageTotals>

/** What the runs of one day, one skill or one stage used. */
export const UsageRow = z
  .object({
    day: z.string().nullable().meta({ description: "In the tenant's zone. null: all.", example: '2026-11-21' }),
    skill: z.string().nullable().meta({ description: 'Its id. null: all.' }),
    skill_name: z.string().nullable(),
    stage: z.string().nullable().meta({ description: 'Its id. null: all.' }),
    stage_name: z.string().nullable().meta({ description: 'null: all, or it was deleted.' }),
    ...UsageTotals.shape,
  })
  .meta({ id: 'UsageRow' })
export type UsageRow = z.infer<typeof UsageRow>
