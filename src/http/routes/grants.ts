import { z } from 'zod'
import { Grant } from '../../model/access.ts'
import { Instant } from '../../model/json.ts'
import { Name } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const Principal = z
  .string()
  .min(1)
  .max(400)
  .meta({ description: 'Id of a key, or `oidc:<issuer name>:<subject>`.', example: 'oidc:corp:anna' })

const NewGrant = z.strictObject({
  principal: Principal,
  allowed_skills: z
    .array(z.string().min(1).max(100))
    .min(1)
    .max(200)
    .meta({ description: 'Ids or names of skills, or `["*"]` for all, also later ones.' }),
  stages: z.array(Name).min(1).max(100).nullable().default(null).meta({ description: 'Names; null: all.' }),
  expires_at: Instant.nullable().default(null).meta({ description: 'In the future; null: never.' }),
})

export const grantRoutes = ({ grants }: Pick<Services, 'grants'>): Route[] => [
  route({
    id: 'createGrant',
    tag: 'access',
    method: 'POST',
    path: '/api/grants',
    access: 'grants.manage',
    summary: 'Grant skills to a principal',
    description: 'Grants of one principal add up. Owners need none.',
    body: NewGrant,
    responses: { 201: { description: 'Made.', schema: Grant, headers: { Location: 'Where it is.' } } },
    errors: ['principal_unknown', 'skill_unknown', 'grants_full'],
    async handle({ caller, body }) {
      const grant = await grants.create(caller, body)
      return { status: 201, body: grant, headers: { location: `/api/grants/${grant.id}` } }
    },
  }),
  route({
    id: 'listGrants',
    tag: 'access',
    method: 'GET',
    path: '/api/grants',
    access: 'grants.manage',
    summary: 'List the grants, newest first, expired ones too',
    query: PageQuery.extend({ principal: Principal.optional() }),
    responses: { 200: { description: 'One page.', schema: pageOf(Grant) } },
    errors: [],
    handle: async ({ caller, query }) => ({ status: 200, body: await grants.list(caller.tenant, query) }),
  }),
  route({
    id: 'getGrant',
    tag: 'access',
    method: 'GET',
    path: '/api/grants/{grant}',
    access: 'grants.manage',
    summary: 'Show a grant',
    responses: { 200: { description: 'The grant.', schema: Grant } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await grants.find(caller.tenant, params.grant) }),
  }),
  route({
    id: 'deleteGrant',
    tag: 'access',
    method: 'DELETE',
    path: '/api/grants/{grant}',
    access: 'grants.manage',
    summary: 'Delete a grant',
    responses: { 204: { description: 'Deleted.' } },
    errors: [],
    async handle({ caller, params }) {
      await grants.remove(caller, params.grant)
      return { status: 204 }
    },
  }),
]
