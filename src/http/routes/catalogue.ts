import { z } from 'zod'
import { CatalogueEntry } from '../../model/catalogue.ts'
import { Name } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

export const catalogueRoutes = ({ skills: { agents } }: Pick<Services, 'skills'>): Route[] => [
  route({
    id: 'listCatalogue',
    tag: 'catalogue',
    method: 'GET',
    path: '/api/catalogue',
    access: 'catalogue.read',
    summary: 'List what agents find: level 1 of progressive disclosure',
    description: 'What a stage of each skill serves, and what comes with the server.',
    query: PageQuery.extend({
      stage: Name.optional().meta({ description: 'Default prod.' }),
      source: z.enum(['own', 'provided']).optional().meta({
        description: "Only the tenant's own, or only what comes with the server. Default: both.",
      }),
    }),
    responses: { 200: { description: 'One page.', schema: pageOf(CatalogueEntry) } },
    errors: [],
    handle: async ({ caller, coverage, query: { stage, source, ...page } }) => ({
      status: 200,
      body: await agents.list({ tenant: caller.tenant, coverage, stage }, { ...page, ...(source && { source }) }),
    }),
  }),
]
