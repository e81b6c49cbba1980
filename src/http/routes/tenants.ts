import { z } from 'zod'
import { Audience, RetentionDays, Tenant } from '../../model/access.ts'
import { Name } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { CreatedKey, NewOwnerKey } from './key-bodies.ts'

const Zone = z.string().min(1).max(100).meta({ description: 'IANA zone.', example: 'Europe/Berlin' })

export const tenantRoutes = ({ tenants, keys }: Pick<Services, 'tenants' | 'keys'>): Route[] => [
  route({
    id: 'createTenant',
    tag: 'operator',
    method: 'POST',
    path: '/api/tenants',
    access: 'tenants.manage',
    summary: 'Make a tenant with its first owner key',
    description: 'The key is in this answer and nowhere else.',
    body: z.strictObject({ name: Name, zone: Zone.default('UTC') }),
    responses: {
      201: {
        description: 'Made.',
        schema: z.object({ tenant: Tenant, owner_key: CreatedKey }),
        headers: { Location: 'Where it is.' },
      },
    },
    errors: ['name_taken', 'name_reserved', 'zone_unknown', 'one_tenant_only'],
    async handle({ caller, body }) {
      const made = await tenants.create(caller, body)
      return { status: 201, body: made, headers: { location: `/api/tenants/${made.tenant.id}` } }
    },
  }),
  route({
    id: 'listTenants',
    tag: 'operator',
    method: 'GET',
    path: '/api/tenants',
    access: 'tenants.manage',
    summary: 'List the tenants, newest first',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Tenant) } },
    errors: [],
    handle: async ({ query }) => ({ status: 200, body: await tenants.list(query) }),
  }),
  route({
    id: 'getTenant',
    tag: 'operator',
    method: 'GET',
    path: '/api/tenants/{tenant}',
    access: 'tenants.manage',
    summary: 'Show a tenant',
    responses: { 200: { description: 'The tenant.', schema: Tenant } },
    errors: [],
    handle: async ({ params }) => ({ status: 200, body: await tenants.find(params.tenant) }),
  }),
  route({
    id: 'updateTenant',
    tag: 'operator',
    method: 'PATCH',
    path: '/api/tenants/{tenant}',
    access: 'tenants.manage',
    summary: 'Suspend or resume a tenant, move it to another time zone, or say how long it keeps what is over',
    description: 'Nothing of a suspended tenant is served, and none of its runs begin.',
    body: z
      .strictObject({
        suspended: z.boolean().optional(),
        zone: Zone.optional(),
        retention_days: RetentionDays.optional(),
        audience: Audience.optional(),
      })
      .refine((change) => Object.keys(change).length > 0, 'names nothing to change')
      .meta({ minProperties: 1 }),
    responses: { 200: { description: 'The tenant as it is now.', schema: Tenant } },
    errors: ['zone_unknown'],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await tenants.update(caller, params.tenant, body),
    }),
  }),
  route({
    id: 'createTenantKey',
    tag: 'operator',
    method: 'POST',
    path: '/api/tenants/{tenant}/keys',
    access: 'tenants.manage',
    summary: 'Make an owner key for a tenant that has lost its own',
    description: 'The key is in this answer and nowhere else.',
    body: NewOwnerKey,
    bodyOptional: true,
    responses: { 201: { description: 'Made.', schema: CreatedKey } },
    errors: [],
    handle: async ({ caller, params, body }) => ({
      status: 201,
      body: await keys.createOwner(caller, params.tenant, body),
    }),
  }),
]
