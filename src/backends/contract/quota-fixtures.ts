import type { Caps, QuotaState } from '../../model/quotas.ts'
import type { QuotaScope } from '../access-ports.ts'
import type { Engine } from '../ports.ts'
import type { Claim } from '../run-ports.ts'
import { LONG, type Place, newNote, newRun } from './engine-fixtures.ts'

export function cap(engine: Engine, tenant: string, caps: Caps, scope: QuotaScope = { kind: 'tenant' }) {
  return engine.quotas.putQuota(tenant, scope, caps, newNote(tenant, 'quota.update', tenant))
}

/** Amount used of each cap, by its name; those of a skill as `skill/cap`. */
export async function usedOf(engine: Engine, tenant: string, skill?: string): Promise<Record<string, number>> {
  return amounts(await engine.quotas.quotaStates(tenant, skill))
}

function amounts(states: readonly QuotaState[]): Record<string, number> {
  return Object.fromEntries(
    states.flatMap(({ skill, caps }) =>
      caps.map(({ cap: name, used }) => [skill === null ? name : `${skill}/${name}`, used]),
    ),
  )
}

/** Admits so many runs at once while takers take at once: what was taken by whomever, when nothing is left to take. */
export async function storm(
  engine: Engine,
  place: Place,
  { runs: count, takers }: { runs: number; takers: number },
): Promise<Claim[]> {
  const { runs } = engine
  const admissions = Array.from({ length: count }, async (_, i) => {
    const run = newRun(place)
    // Half of them as a server with a free place admits.
    const take = i % 2 === 0 ? { take: { leaseMs: LONG } } : {}
    const admission = await runs.admit(run, 'default', newNote(place.tenant, 'run.invoke', run.id), take)
    return admission.outcome === 'admitted' ? admission.taken : []
  })
  const takes = Array.from({ length: takers }, (_, i) => runs.take('default', (i % 7) + 1, LONG))
  const taken = (await Promise.all([...admissions, ...takes])).flat()
  for (;;) {
    const more = await Promise.all(Array.from({ length: takers }, () => runs.take('default', 5, LONG)))
    const queued = await runs.list(place.tenant, { limit: 1, status: 'queued' })
    taken.push(...more.flat())
    if (queued.items.length === 0) return taken
  }
}

/** How many runs of the tenant have each status. */
export async function statuses(engine: Engine, tenant: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  let cursor: string | undefined
  do {
    const page = await engine.runs.list(tenant, { limit: 200, cursor })
    for (const { status } of page.items) counts[status] = (counts[status] ?? 0) + 1
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return counts
}
