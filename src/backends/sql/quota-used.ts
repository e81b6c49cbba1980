import { type Periods, periodsAt } from '../../model/periods.ts'
import type { Queries, Transaction } from './database.ts'
import type { ScopedCaps } from './quota-caps.ts'

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
const add = (scopes: number): string => `
  INSERT INTO quota_used (tenant, scope, day, day_runs, day_ms, month, month_runs, month_ms, warned)
  VALUES ${Array.from({ length: scopes }, () => VALUES).join(', ')}
  ON CONFLICT (tenant, scope) DO UPDATE SET
    day = CASE WHEN ${NEW_DAY} THEN excluded.day ELSE quota_used.day END,
    day_runs = excluded.day_runs + CASE WHEN ${NEW_DAY} THEN 0 ELSE quota_used.day_runs END,
    day_ms = excluded.day_ms + CASE WHEN ${NEW_DAY} THEN 0 ELSE quota_used.day_ms END,
    month = CASE WHEN ${NEW_MONTH} THEN excluded.month ELSE quota_used.month END,
    month_runs = excluded.month_runs + CASE WHEN ${NEW_MONTH} THEN 0 ELSE quota_used.month_runs END,
    month_ms = excluded.month_ms + CASE WHEN ${NEW_MONTH} THEN 0 ELSE quota_used.month_ms END
  RETURNING scope, day, day_runs, day_ms, month, month_runs, month_ms, warned`
const ADD = [add(1), add(2)] as const

/**
 * Adds to what the scopes used, in one statement, and answers with what it came to. From here to the end of the transaction their rows are
 * held, the tenant's first: whoever else counts for them waits.
 * @param scopes Those that have caps, one or two: what nobody capped is not counted here, the usage has it.
 */
export async function addUsed(
  t: Transaction,
  tenant: string,
  scopes: readonly Pick<ScopedCaps, 'skill'>[],
  { day, month }: Pick<Periods, 'day' | 'month'>,
  { runs, ms }: { readonly runs: number; readonly ms: number },
): Promise<Used[]> {
  const values = scopes.flatMap(({ skill }) => [tenant, skill ?? '', day, runs, ms, month, runs, ms])
  return t.query<Used>(ADD[scopes.length - 1]!, ...values)
}

/** The first cap of a scope: what was used before it counts, as the usage has it, and so do the runs that are under way. */
export async function beginCounting(t: Transaction, tenant: string, skill: string | null, zone: string): Promise<void> {
  const { day, month } = periodsAt(zone, Date.now())
  const only = skill === null ? '' : ' AND skill = ?'
  const values = skill === null ? [] : [skill]
  const [sums] = await t.query<{ day_runs: number; day_ms: number; month_runs: number; month_ms: number }>(
    `SELECT coalesce(sum(CASE WHEN day = ? THEN runs ELSE 0 END), 0) AS day_runs,
       coalesce(sum(CASE WHEN day = ? THEN billable_ms ELSE 0 END), 0) AS day_ms,
       coalesce(sum(runs), 0) AS month_runs, coalesce(sum(billable_ms), 0) AS month_ms
     FROM usage WHERE tenant = ? AND day >= ? AND day <= ?${only}`,
    day,
    day,
    tenant,
    `${month}-01`,
    day,
    ...values,
  )
  const held = await holding(t, tenant)
  const live = skill === null ? [...held.values()].reduce((sum, n) => sum + n, 0) : (held.get(skill) ?? 0)
  await t.query('DELETE FROM quota_used WHERE tenant = ? AND scope = ?', tenant, skill ?? '')
  await t.query(
    `INSERT INTO quota_used (tenant, scope, day, day_runs, day_ms, month, month_runs, month_ms, warned) VALUES ${VALUES}`,
    tenant,
    skill ?? '',
    day,
    sums!.day_runs + live,
    sums!.day_ms,
    month,
    sums!.month_runs + live,
    sums!.month_ms,
  )
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
