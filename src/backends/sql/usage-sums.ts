import { sharedTurn } from '../../model/shared-turn.ts'
import type { UsageRow, UsageTotals } from '../../model/quotas.ts'
import type { QuotaStore } from '../access-ports.ts'
import type { Database } from './database.ts'
import { oneOf } from './page.ts'

type Filter = Parameters<QuotaStore['usage']>[1]

/** A step takes as many days as take about so long, in milliseconds: whoever waits meanwhile does not wait for a year to be summed up. */
const STEP_MS = 8
const FIRST_DAYS = 4
const DAY_MS = 86_400_000

/** Sums up some days at a time. A year of a tenant with a thousand stages has hundreds of thousands of rows. */
export async function usageSums(db: Database, tenant: string, { from, to, ...filter }: Filter): Promise<UsageRow[]> {
  const { groupBy, skill, stage } = filter
  const keys = KEYS[groupBy]
  const only = `${skill === undefined ? '' : ' AND skill = ?'}${stage === undefined ? '' : ' AND stage = ?'}`
  const values = [skill, stage].filter((value) => value !== undefined)
  const sums = new Map<string, Sum>()
  const last = Date.parse(to)
  let days = FIRST_DAYS
  for (let at = Date.parse(from), end: number; at <= last; at = end + DAY_MS) {
    end = Math.min(last, at + (days - 1) * DAY_MS)
    const began = performance.now()
    const rows = await db.query<Sum>(
      `SELECT ${keys.join(', ')}, ${SUMS} FROM usage WHERE tenant = ? AND day >= ? AND day <= ?${only} GROUP BY ${keys.join(', ')}`,
      tenant,
      dayOf(at),
      dayOf(end),
      ...values,
    )
    for (const row of rows) add(sums, keys.map((key) => row[key]).join(' '), row)
    const took = performance.now() - began
    days = took < STEP_MS / 2 ? 2 * days : Math.max(1, Math.floor(Math.min(1, STEP_MS / took) * days))
    if (end < last) await sharedTurn()
  }
  return named(
    db,
    [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum),
  )
}

type Sum = UsageTotals & { readonly day?: string; readonly skill?: string; readonly stage?: string }

const KEYS = { day: ['day'], skill: ['skill'], stage: ['skill', 'stage'] } as const
const ADDED = ['runs', 'succeeded', 'failed', 'cancelled', 'throttled', 'billable_ms', 'cpu_ms'] as const
const SUMS = `${ADDED.map((name) => `sum(${name}) AS ${name}`).join(', ')}, max(peak_memory_bytes) AS peak_memory_bytes`

function add(sums: Map<string, Sum>, key: string, row: Sum): void {
  const sum = sums.get(key)
  if (sum === undefined) {
    sums.set(key, { ...row })
    return
  }
  for (const name of ADDED) sum[name] += row[name]
  sum.peak_memory_bytes = Math.max(sum.peak_memory_bytes, row.peak_memory_bytes)
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Rows of usage outlive what they name: a skill keeps its row and so its name, a stage does not. */
async function named(db: Database, sums: readonly Sum[]): Promise<UsageRow[]> {
  const skills = await namesOf(db, 'skills', new Set(sums.flatMap(({ skill }) => skill ?? [])))
  const stages = await namesOf(db, 'stages', new Set(sums.flatMap(({ stage }) => stage ?? [])))
  return sums.map(({ day = null, skill = null, stage = null, ...totals }) => ({
    day,
    skill,
    skill_name: (skill === null ? undefined : skills.get(skill)) ?? null,
    stage,
    stage_name: (stage === null ? undefined : stages.get(stage)) ?? null,
    ...totals,
  }))
}

/** How many names are looked up at once. */
const NAMES = 500

async function namesOf(
  db: Database,
  table: 'skills' | 'stages',
  ids: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const all = [...ids]
  for (let at = 0; at < all.length; at += NAMES) {
    const some = all.slice(at, at + NAMES)
    const rows = await db.query<{ id: string; name: string }>(
      `SELECT id, name FROM ${table} WHERE ${oneOf('id', some)}`,
      ...some,
    )
    for (const { id, name } of rows) names.set(id, name)
    await sharedTurn()
  }
  return names
}
