import type { Engine } from '../backends/ports.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { isId } from '../model/ids.ts'
import { periodsAt } from '../model/periods.ts'
import type { UsageRow, UsageTotals } from '../model/quotas.ts'

export interface UsageQuery {
  /** Days in the tenant's zone, `YYYY-MM-DD`, inclusive. Default: from the first of the month of `to`, to today. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Id or name; of a deleted skill, its id. */
  readonly skill?: string | undefined
  /** Id, or with `skill` its name. */
  readonly stage?: string | undefined
  readonly groupBy: 'day' | 'skill' | 'stage'
}

export interface Usage {
  readonly from: string
  readonly to: string
  readonly zone: string
  readonly group_by: UsageQuery['groupBy']
  readonly items: UsageRow[]
  readonly totals: UsageTotals
}

/** Most days that are summed up at once: a leap year. */
const MOST_DAYS = 366
const DAY_MS = 86_400_000

export function createUsage({ quotas, skills, access }: Pick<Engine, 'quotas' | 'skills' | 'access'>) {
  return async (tenant: string, query: UsageQuery): Promise<Usage> => {
    const zone = (await access.findTenant(tenant))?.zone ?? 'UTC'
    const to = query.to ?? periodsAt(zone, Date.now()).day
    const from = query.from ?? `${to.slice(0, 7)}-01`
    checkDays(from, to)
    const filter = { ...(await resolve(tenant, query)), from, to, groupBy: query.groupBy }
    const items = await quotas.usage(tenant, filter)
    return { from, to, zone, group_by: query.groupBy, items, totals: totalsOf(items) }
  }

  async function resolve(
    tenant: string,
    { skill, stage }: Pick<UsageQuery, 'skill' | 'stage'>,
  ): Promise<{ skill?: string; stage?: string }> {
    const inSkill = skill === undefined ? {} : { skill: await skillId(tenant, skill) }
    if (stage === undefined) return inSkill
    // What was used outlives its stage, so an id is not looked up.
    if (isId('stage', stage)) return { ...inSkill, stage }
    if (inSkill.skill === undefined) {
      throw new SkilletError('bad_request', `Stage "${stage}" is a name: give the skill too.`)
    }
    const found = await skills.findStage(tenant, inSkill.skill, stage)
    if (found === null) throw notFound('stage', `${skill}/${stage}`)
    return { ...inSkill, stage: found.id }
  }

  async function skillId(tenant: string, skill: string): Promise<string> {
    if (isId('skill', skill)) return skill
    const found = await skills.findSkill(tenant, skill)
    if (found === null) throw notFound('skill', skill)
    return found.id
  }
}

function checkDays(from: string, to: string): void {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1
  if (days < 1) throw new SkilletError('bad_request', `"from" is ${from}, which is after "to", ${to}.`)
  if (days > MOST_DAYS) {
    throw new SkilletError('bad_request', `From ${from} to ${to} are ${days} days; at most ${MOST_DAYS} are summed up.`)
  }
}

function totalsOf(rows: readonly UsageRow[]): UsageTotals {
  const totals = {
    runs: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    throttled: 0,
    billable_ms: 0,
    cpu_ms: 0,
    peak_memory_bytes: 0,
  }
  for (const row of rows) {
    for (const name of Object.keys(totals) as (keyof UsageTotals)[]) {
      totals[name] = name === 'peak_memory_bytes' ? Math.max(totals[name], row[name]) : totals[name] + row[name]
    }
  }
  return totals
}
