import { z } from 'zod'
import { Secret, SecretKind, SecretName } from '../../model/secrets.ts'
import { LIMITS } from '../../model/sizes.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** Goes in and never comes out: no answer has one. */
const Value = z.string().meta({
  description: `1 to ${LIMITS.secretBytes} bytes of UTF-8 without NUL; of a connection, a URL with a host.`,
  example: 'postgres://reader:password@db.example.org:5432/orders',
  writeOnly: true,
})

const NewSecret = z.strictObject({
  name: SecretName,
  kind: SecretKind.default('value').meta({
    description: 'A `connection` reaches a skill as the parts of its URL, too.',
  }),
  value: Value,
})

export const secretRoutes = ({ secrets }: Pick<Services, 'secrets'>): Route[] => [
  route({
    id: 'createSecret',
    tag: 'secrets',
    method: 'POST',
    path: '/api/secrets',
    access: 'secrets.manage',
    summary: 'Make a secret',
    description: 'Its value is sealed in the vault and in no answer. Stages refer to it by `secret_refs`.',
    body: NewSecret,
    responses: { 201: { description: 'Made.', schema: Secret, headers: { Location: 'Where it is.' } } },
    errors: ['name_taken', 'secret_invalid', 'vault_unavailable'],
    async handle({ caller, body }) {
      const secret = await secrets.create(caller, body)
      return { status: 201, body: secret, headers: { location: `/api/secrets/${secret.id}` } }
    },
  }),
  route({
    id: 'listSecrets',
    tag: 'secrets',
    method: 'GET',
    path: '/api/secrets',
    access: 'secrets.manage',
    summary: 'List the secrets without their values, newest first',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Secret) } },
    errors: [],
    handle: async ({ caller, query }) => ({ status: 200, body: await secrets.list(caller.tenant, query) }),
  }),
  route({
    id: 'getSecret',
    tag: 'secrets',
    method: 'GET',
    path: '/api/secrets/{secret}',
    access: 'secrets.manage',
    summary: 'Show a secret without its value',
    responses: { 200: { description: 'The secret.', schema: Secret } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await secrets.find(caller.tenant, params.secret) }),
  }),
  route({
    id: 'updateSecret',
    tag: 'secrets',
    method: 'PUT',
    path: '/api/secrets/{secret}',
    access: 'secrets.manage',
    summary: 'Give a secret a new value',
    description: 'Runs that begin from then on get it, in sandboxes of their own; nothing has to be deployed.',
    body: z.strictObject({ value: Value }),
    responses: { 200: { description: 'The secret as it is now.', schema: Secret } },
    errors: ['secret_invalid', 'secret_changed', 'vault_unavailable'],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await secrets.update(caller, params.secret, body.value),
    }),
  }),
  route({
    id: 'deleteSecret',
    tag: 'secrets',
    method: 'DELETE',
    path: '/api/secrets/{secret}',
    access: 'secrets.manage',
    summary: 'Delete a secret that no stage refers to',
    responses: { 204: { description: 'Deleted.' } },
    errors: ['secret_in_use'],
    async handle({ caller, params }) {
      await secrets.remove(caller, params.secret)
      return { status: 204 }
    },
  }),
  route({
    id: 'rotateMasterKey',
    tag: 'operator',
    method: 'POST',
    path: '/api/vault/rotate',
    access: 'vault.rotate',
    summary: 'Replace the master key of the vault',
    description:
      'All values are wrapped anew; meanwhile they are served as before. Killed in between, it can be repeated.',
    responses: {
      200: {
        description: 'Nothing is sealed under the old key any more.',
        schema: z.object({ rewrapped: z.number().int().meta({ description: 'How many values.' }) }),
      },
    },
    errors: ['master_key_external', 'vault_unavailable'],
    handle: async ({ caller }) => ({ status: 200, body: { rewrapped: await secrets.rotate(caller) } }),
  }),
]
