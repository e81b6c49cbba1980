import { z } from 'zod'
import type { Caller } from '../../model/access.ts'
import { Webhook, WebhookSpec } from '../../model/webhooks.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const ONE = '/api/skills/{skill}/stages/{stage}/webhook'

export const webhookRoutes = ({ webhooks }: Pick<Services, 'webhooks'>): Route[] => [
  route({
    id: 'putWebhook',
    tag: 'webhooks',
    method: 'PUT',
    path: ONE,
    access: 'webhooks.write',
    summary: 'Have a stage tell an endpoint of what happens on it',
    description:
      'Messages are signed as Standard Webhooks 1.0.0 says. Where the URL leads is looked at now and again at every delivery. Disabling it cancels what waits.',
    body: WebhookSpec.extend({
      revision: z
        .number()
        .int()
        .optional()
        .meta({ description: 'Only if the webhook has it; 0: only if there is none.' }),
    }),
    responses: { 200: { description: 'The webhook as it is now.', schema: Webhook } },
    errors: [
      'secret_unknown',
      'webhook_secret_invalid',
      'webhook_target_refused',
      'webhook_changed',
      'vault_unavailable',
    ],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await webhooks.put(caller, params.skill, params.stage, body),
    }),
  }),
  route({
    id: 'getWebhook',
    tag: 'webhooks',
    method: 'GET',
    path: ONE,
    access: 'webhooks.read',
    summary: 'Show the webhook of a stage',
    description:
      'Only owners see more of the URL than its origin: path and query of one often are what lets send there.',
    responses: { 200: { description: 'The webhook.', schema: Webhook } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: shownTo(caller, await webhooks.find(caller.tenant, params.skill, params.stage)),
    }),
  }),
  route({
    id: 'deleteWebhook',
    tag: 'webhooks',
    method: 'DELETE',
    path: ONE,
    access: 'webhooks.write',
    summary: 'Delete the webhook of a stage',
    description: 'Deliveries that wait are cancelled; all stay listed.',
    responses: { 204: { description: 'Deleted.' } },
    errors: [],
    async handle({ caller, params }) {
      await webhooks.remove(caller, params.skill, params.stage)
      return { status: 204 }
    },
  }),
]

const shownTo = ({ role }: Caller, webhook: Webhook): Webhook =>
  role === 'owner' ? webhook : { ...webhook, url: new URL(webhook.url).origin }
