import { z } from 'zod'
import type { Page } from '../model/page.ts'
import { type Coverage, placesOf } from '../model/coverage.ts'
import type { RunFilter } from '../backends/run-ports.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { isId } from '../model/ids.ts'
import { Run } from '../model/runs.ts'
import { PageQuery } from './pages.ts'
import type { Services } from './services.ts'

/** A run in a list: without what it was given and gave, which may be large. */
export const RunSummary = Run.omit({ input: true, output: true }).meta({ id: 'RunSummary' })

const Reference = z.string().max(100)

/** Query parameters of every list of runs. */
export const RunListQuery = PageQuery.extend({
  skill: Reference.optional().meta({ description: 'Id or name; of a deleted skill, its id.' }),
  stage: Reference.optional().meta({ description: 'Id, or with `skill` its name.' }),
})

/** What the list is limited to: by what was asked for, and by what the caller may see. @throws SkilletError not_found, bad_request */
export async function runFilterOf(
  { skills }: Pick<Services, 'skills'>,
  call: { readonly caller: Caller; readonly coverage: Coverage | null; readonly query: z.output<typeof RunListQuery> },
): Promise<RunFilter> {
  const { caller, coverage, query } = call
  return {
    limit: query.limit,
    cursor: query.cursor,
    ...(await resolve(skills, caller.tenant, query)),
    only: placesOf(coverage),
    createdBy: coverage?.ownOnly === true ? caller.id : undefined,
  }
}

export function summariesOf(page: Page<Run>): Page<z.infer<typeof RunSummary>> {
  return { ...page, items: page.items.map(({ input: _input, output: _output, ...rest }) => rest) }
}

async function resolve(
  skills: Services['skills'],
  tenant: string,
  { skill, stage }: { skill?: string | undefined; stage?: string | undefined },
): Promise<{ skill?: string; stage?: string }> {
  if (stage !== undefined && !isId('stage', stage)) {
    if (skill === undefined) throw new SkilletError('bad_request', `Stage "${stage}" is a name: give the skill too.`)
    const found = await skills.stages.find(tenant, skill, stage)
    return { skill: found.skill, stage: found.id }
  }
  const ids: { skill?: string; stage?: string } = stage === undefined ? {} : { stage }
  if (skill === undefined) return ids
  // Runs outlive their skill, so an id is not looked up.
  return { ...ids, skill: isId('skill', skill) ? skill : (await skills.catalogue.find(tenant, skill)).id }
}
