import { Delivery, DeliveryStatus, WebhookPayload } from '../../model/webhooks.ts'
import { pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import { RunListQuery, runFilterOf } from '../run-lists.ts'
import type { Services } from '../services.ts'

const DeliveryWithPayload = Delivery.extend({
  payload: WebhookPayload.meta({ description: 'What is sent.' }),
}).meta({ id: 'DeliveryWithPayload' })

export const deliveryRoutes = (services: Pick<Services, 'skills' | 'webhooks'>): Route[] => {
  const { webhooks } = services
  return [
    route({
      id: 'listDeliveries',
      tag: 'webhooks',
      method: 'GET',
      path: '/api/deliveries',
      access: 'webhooks.read',
      summary: 'List what webhooks were to be told, newest first',
      description:
        'Also of webhooks that are gone. Whoever needs a grant sees those of skills and stages that it covers.',
      query: RunListQuery.extend({
        run: RunListQuery.shape.stage.meta({ description: 'Id.' }),
        status: DeliveryStatus.optional(),
      }),
      responses: { 200: { description: 'One page.', schema: pageOf(Delivery) } },
      errors: ['not_found'],
      async handle(call) {
        const { run, status } = call.query
        const filter = { ...(await runFilterOf(services, call)), run, status }
        return { status: 200, body: await webhooks.deliveries(call.caller.tenant, filter) }
      },
    }),
    route({
      id: 'getDelivery',
      tag: 'webhooks',
      method: 'GET',
      path: '/api/deliveries/{delivery}',
      access: 'webhooks.read',
      summary: 'Show a delivery with its attempts and what is sent',
      responses: { 200: { description: 'The delivery.', schema: DeliveryWithPayload } },
      errors: [],
      handle: async ({ caller, params }) => ({
        status: 200,
        body: await webhooks.delivery(caller.tenant, params.delivery),
      }),
    }),
    route({
      id: 'redeliver',
      tag: 'webhooks',
      method: 'POST',
      path: '/api/deliveries/{delivery}/redeliver',
      access: 'webhooks.write',
      summary: 'Send a delivery that is over again',
      description:
        'At once, under the same `webhook-id`, to where the webhook leads now; then retried as a new one is.',
      responses: { 202: { description: 'It waits to be sent.', schema: Delivery } },
      errors: ['not_redeliverable'],
      handle: async ({ caller, params }) => ({ status: 202, body: await webhooks.redeliver(caller, params.delivery) }),
    }),
  ]
}
