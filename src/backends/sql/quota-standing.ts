import { dayEnd, monthEnd, periodsAt } from '../../model/periods.ts'
import type { CapName } from '../../model/quotas.ts'
import type { ScopedCaps } from './quota-caps.ts'
import type { Used } from './quota-used.ts'

/** Where a tenant or a skill stands against one of its caps. */
export interface Standing {
  readonly cap: CapName
  /** null: the whole tenant. */
  readonly skill: string | null
  readonly limit: number
  /** Minutes with fractions. */
  readonly used: number
  /** Key of the day or month. Null for what has none. */
  readonly period: string | null
  /** Milliseconds since 1970. Null: when a run ends. */
  readonly resets: number | null
}

/** @param used Of the present periods or of earlier ones; null: never anything. @param held See holding. */
export function standingsOf(
  { skill, limits }: ScopedCaps,
  used: Used | null,
  held: ReadonlyMap<string, number>,
  { zone, at }: { readonly zone: string; readonly at: number },
): Standing[] {
  const now = periodsAt(zone, at)
  // A row of a later day than it is: the clock jumped back, and that day is the one that is counted.
  const day = used !== null && used.day >= now.day ? used : null
  const month = used !== null && used.month >= now.month ? used : null
  const daily = { period: (day ?? now).day, resets: day === null ? now.dayEnds : endOf(now.day, now.dayEnds, day.day) }
  const monthly = {
    period: (month ?? now).month,
    resets: month === null ? now.monthEnds : endOf(now.month, now.monthEnds, month.month),
  }
  const facts: Record<CapName, Pick<Standing, 'used' | 'period' | 'resets'>> = {
    runs_per_day: { used: day?.day_runs ?? 0, ...daily },
    runs_per_month: { used: month?.month_runs ?? 0, ...monthly },
    minutes_per_day: { used: (day?.day_ms ?? 0) / MINUTE, ...daily },
    minutes_per_month: { used: (month?.month_ms ?? 0) / MINUTE, ...monthly },
    concurrent_runs: { used: heldBy(held, skill), period: null, resets: null },
  }
  return [...limits].map(([cap, limit]) => ({ cap, skill, limit, ...facts[cap] }))

  function endOf(present: string, presentEnds: number, key: string): number {
    if (key === present) return presentEnds
    return key.length === 7 ? monthEnd(zone, key) : dayEnd(zone, key)
  }
}

const MINUTE = 60_000

function heldBy(held: ReadonlyMap<string, number>, skill: string | null): number {
  if (skill !== null) return held.get(skill) ?? 0
  return [...held.values()].reduce((sum, n) => sum + n, 0)
}
