import { ApiKey } from '../../model/access.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { CreatedKey, NewKey } from './key-bodies.ts'

export const keyRoutes = ({ keys }: Pick<Services, 'keys'>): Route[] => [
  route({
    id: 'createKey',
    tag: 'access',
    method: 'POST',
    path: '/api/keys',
    access: 'keys.manage',
    summary: 'Make an API key',
    description: 'The key is in this answer and nowhere else.',
    body: NewKey,
    responses: { 201: { description: 'Made.', schema: CreatedKey, headers: { Location: 'Where it is.' } } },
    errors: [],
    async handle({ caller, body }) {
      const key = await keys.create(caller, body)
      return { status: 201, body: key, headers: { location: `/api/keys/${key.id}` } }
    },
  }),
  route({
    id: 'listKeys',
    tag: 'access',
    method: 'GET',
    path: '/api/keys',
    access: 'keys.manage',
    summary: 'List the API keys, newest first, revoked and expired ones too',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(ApiKey) } },
    errors: [],
    handle: async ({ caller, query }) => ({ status: 200, body: await keys.list(caller.tenant, query) }),
  }),
  route({
    id: 'getKey',
    tag: 'access',
    method: 'GET',
    path: '/api/keys/{key}',
    access: 'keys.manage',
    summary: 'Show an API key',
    responses: { 200: { description: 'The key, without what it is used by.', schema: ApiKey } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await keys.find(caller.tenant, params.key) }),
  }),
  route({
    id: 'revokeKey',
    tag: 'access',
    method: 'DELETE',
    path: '/api/keys/{key}',
    access: 'keys.manage',
    summary: 'Revoke an API key and delete its grants',
    description: 'It is refused at once. Its record stays; revoking it again changes nothing.',
    responses: { 200: { description: 'The key as it is now.', schema: ApiKey } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await keys.revoke(caller, params.key) }),
  }),
]
