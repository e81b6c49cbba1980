import { periodsAt } from '../../model/periods.ts'
import type { Run } from '../../model/runs.ts'
import type { Ending } from '../run-ports.ts'
import type { Transaction } from './database.ts'
import { quotaOf, scopesOf, zoneOf } from './quota-caps.ts'
import { standingsOf } from './quota-standing.ts'
import { addUsed } from './quota-used.ts'
import { warn } from './quota-warnings.ts'

/** Whose usage it is. */
type Metered = Pick<Run, 'tenant' | 'skill' | 'stage'>

/**
 * Adds an ended run to the usage of its day, and what is billed to the quota: in the transaction of its ending, which no run has twice.
 * A run that never began is no usage.
 */
export async function meter(t: Transaction, run: Metered, counted: boolean, ending: Ending, at: number): Promise<void> {
  const throttled = ending.status === 'throttled'
  if (throttled || counted) await add(t, run, ending, at, true)
}

/** Adds what an attempt took that is not the last one: the run itself is counted when it is over. */
export function meterAttempt(t: Transaction, run: Metered, attempt: Ending, at: number): Promise<void> {
  return add(t, run, attempt, at, false)
}

async function add(t: Transaction, run: Metered, ending: Ending, at: number, over: boolean): Promise<void> {
  const quota = await quotaOf(t, run)
  const zone = zoneOf(quota)
  const periods = periodsAt(zone, at)
  const ms = ending.billable_ms ?? 0
  await addUsage(t, run, periods.day, ending, over)
  const scopes = scopesOf(quota, run.skill)
  if (ms === 0 || scopes.length === 0) return
  const rows = await addUsed(t, run.tenant, scopes, periods, { runs: 0, ms })
  for (const scope of scopes) {
    const used = rows.find((row) => row.scope === (scope.skill ?? ''))!
    await warn(t, run.tenant, used, standingsOf(scope, used, NONE_HELD, { zone, at }))
  }
}

/** Nobody is told of places here. */
const NONE_HELD: ReadonlyMap<string, number> = new Map()

async function addUsage(
  t: Transaction,
  run: Metered,
  day: string,
  { status, usage, billable_ms }: Ending,
  over: boolean,
): Promise<void> {
  const is = (one: Ending['status']): number => Number(over && status === one)
  await t.query(
    `INSERT INTO usage (tenant, day, skill, stage, runs, succeeded, failed, cancelled, throttled, billable_ms, cpu_ms, peak_memory_bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, day, skill, stage) DO UPDATE SET
       runs = usage.runs + excluded.runs, succeeded = usage.succeeded + excluded.succeeded, failed = usage.failed + excluded.failed,
       cancelled = usage.cancelled + excluded.cancelled, throttled = usage.throttled + excluded.throttled,
       billable_ms = usage.billable_ms + excluded.billable_ms, cpu_ms = usage.cpu_ms + excluded.cpu_ms,
       peak_memory_bytes = CASE WHEN excluded.peak_memory_bytes > usage.peak_memory_bytes
         THEN excluded.peak_memory_bytes ELSE usage.peak_memory_bytes END`,
    run.tenant,
    day,
    run.skill,
    run.stage,
    over ? 1 - is('throttled') : 0,
    is('succeeded'),
    is('failed'),
    is('cancelled'),
    is('throttled'),
    billable_ms ?? 0,
    Math.round(usage?.cpu_ms ?? 0),
    usage?.peak_memory_bytes ?? 0,
  )
}
