import { now } from '../../model/json.ts'
import { periodsAt } from '../../model/periods.ts'
import type { CapName, Throttle } from '../../model/quotas.ts'
import type { Run, RunError } from '../../model/runs.ts'
import type { Transaction } from './database.ts'
import { quotaOf, scopesOf, zoneOf } from './quota-caps.ts'
import { type Standing, standingsOf } from './quota-standing.ts'
import { addUsed, holding } from './quota-used.ts'
import { warn } from './quota-warnings.ts'

/** Why a run is not executed. */
export interface Refusal {
  readonly throttle: Throttle
  readonly error: RunError
}

/**
 * Counts a run that is about to be executed, or refuses it and counts nothing. A run that is counted stays so however often it is
 * begun again, and is only refused while its tenant is suspended.
 *
 * Counting comes first and is taken back where a cap is passed: on PostgreSQL the rows that it wrote are locked until the transaction
 * ends, so that whatever is read after it, the caps' counters and the runs that hold a place, can be changed by nobody else. That
 * makes it one atomic decision; on SQLite transactions stand in line anyway.
 */
export async function admitToQuota(
  t: Transaction,
  run: Pick<Run, 'id' | 'tenant' | 'skill'> & { readonly counted: boolean },
  at: number,
): Promise<Refusal | null> {
  const quota = await quotaOf(t, run)
  if (quota.suspended === 1) return SUSPENDED
  if (run.counted) return null
  const zone = zoneOf(quota)
  const periods = periodsAt(zone, at)
  const scopes = scopesOf(quota, run.skill)
  // Nearly always: then there is nothing to count.
  if (scopes.length === 0) return null
  const rows = await addUsed(t, run.tenant, scopes, periods, { runs: 1, ms: 0 })
  const places = scopes.some(({ limits }) => limits.has('concurrent_runs'))
  const held = places ? await holding(t, run.tenant, run.id) : new Map<string, number>()
  const counted = scopes.map((scope) => {
    const used = rows.find((row) => row.scope === (scope.skill ?? ''))!
    return { scope, used, before: { ...used, day_runs: used.day_runs - 1, month_runs: used.month_runs - 1 } }
  })
  const passed = counted
    .flatMap(({ scope, before }) => standingsOf(scope, before, held, { zone, at }))
    .filter(({ used, limit }) => used >= limit)
  if (passed.length > 0) {
    await addUsed(t, run.tenant, scopes, periods, { runs: -1, ms: 0 })
    return refusal(t, passed, zone)
  }
  for (const { scope, used } of counted) await warn(t, run.tenant, used, standingsOf(scope, used, held, { zone, at }))
  return null
}

const SUSPENDED: Refusal = {
  throttle: { cap: 'suspended', skill: null, limit: 0, resets_at: null },
  error: { type: 'Throttled', message: 'The tenant is suspended: nothing of it is run until its operator lifts that.' },
}

/** Tells of the cap that holds longest: whoever comes back when another one resets would only be refused again. */
async function refusal(t: Transaction, passed: readonly Standing[], zone: string): Promise<Refusal> {
  const { cap, skill, limit, used, resets } = passed.toSorted((a, b) => (b.resets ?? 0) - (a.resets ?? 0))[0]!
  const resets_at = resets === null ? null : now(resets)
  const [named] = skill === null ? [] : await t.query<{ name: string }>('SELECT name FROM skills WHERE id = ?', skill)
  const whose = skill === null ? 'the tenant' : `the skill "${named?.name ?? skill}"`
  const amount = cap.startsWith('minutes') ? used.toFixed(2) : String(used)
  const until = resets_at === null ? 'It is free again when one of them ends.' : `It resets at ${resets_at} (${zone}).`
  const message = `The cap of ${limit} ${WORDS[cap]} of ${whose} is reached: ${amount} of ${limit} used. ${until}`
  return { throttle: { cap, skill, limit, resets_at }, error: { type: 'Throttled', message } }
}

const WORDS: Record<CapName, string> = {
  runs_per_day: 'runs per day',
  runs_per_month: 'runs per month',
  minutes_per_day: 'minutes per day',
  minutes_per_month: 'minutes per month',
  concurrent_runs: 'runs at once',
}
