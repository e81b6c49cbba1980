import type { Periods } from '../../model/periods.ts'
import type { Queries, Transaction } from './database.ts'

/** What a tenant (scope '') or one of its skills used in the day and the month that are named. */
export interface Used {
  readonly scope: string
  readonly day: string
  readonly day_runs: number
  readonly day_ms: number
  readonly month: string
  readonly month_runs: number
  readonly month_ms: number
  /** JSON: see warnings.ts. */
  readonly warned: string
}

const VALUES = `(?, ?, ?, ?, ?, ?, ?, ?, '[]')`
const NEW_DAY = 'excluded.day > quota_used.day'
const NEW_MONTH = 'excluded.month > quota_used.month'
/** Counters begin anew when their period does. Where the clock jumped back they go on: nothing that was counted is lost. */
const ADD = `
  INSERT INTO quota_used (tenant, scope, day, day_runs, day_ms, month, month_runs, month_ms, warned) VALUES ${VALUES}, ${VALUES}
  ON CONFLICT (tenant, scope) DO UPDATE SET
    day = CASE WHEN ${NEW_DAY} THEN excluded.day ELSE quota_used.day END,
    day_runs = excluded.day_runs + CASE WHEN ${NEW_DAY} THEN 0 ELSE quota_used.day_runs END,
    day_ms = excluded.day_ms + CASE WHEN ${NEW_DAY} THEN 0 ELSE quota_used.day_ms END,
    month = CASE WHEN ${NEW_MONTH} THEN excluded.month ELSE quota_used.month END,
    month_runs = excluded.month_runs + CASE WHEN ${NEW_MONTH} THEN 0 ELSE quota_used.month_runs END,
    month_ms = excluded.month_ms + CASE WHEN ${NEW_MONTH} THEN 0 ELSE quota_used.month_ms END
  RETURNING scope, day, day_runs, day_ms, month, month_runs, month_ms, warned`

/**
 * Adds to what the tenant and the skill used, in one statement, and answers with what it came to. From here to the end of the
 * transaction both rows are held, the tenant's first: whoever else counts for this tenant waits.
 */
export async function addUsed(
  t: Transaction,
  { tenant, skill }: { readonly tenant: string; readonly skill: string },
  { day, month }: Pick<Periods, 'day' | 'month'>,
  { runs, ms }: { readonly runs: number; readonly ms: number },
): Promise<Used[]> {
  const rest = [day, runs, ms, month, runs, ms] as const
  return t.query<Used>(ADD, tenant, '', ...rest, tenant, skill, ...rest)
}

/**
 * Runs that hold a place, by skill: those that run, and those that were admitted and wait in the queue again, for a worker or for the time
 * of their next attempt. So they go on without being refused, and no cap is passed when they do.
 */
export async function holding(db: Queries, tenant: string, except: string = ''): Promise<Map<string, number>> {
  const rows = await db.query<{ skill: string; n: number }>(
    `SELECT skill, count(*) AS n FROM (
       SELECT id, skill FROM runs WHERE tenant = ? AND status = 'running' AND finished_at IS NULL
       UNION ALL SELECT id, skill FROM runs WHERE tenant = ? AND status = 'queued' AND counted = 1
     ) AS held WHERE id <> ? GROUP BY skill`,
    tenant,
    tenant,
    except,
  )
  return new Map(rows.map(({ skill, n }) => [skill, n]))
}
