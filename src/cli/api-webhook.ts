import type { Delivery, DeliveryStatus, Webhook, WebhookPayload, WebhookSpec } from '../model/webhooks.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Http } from './http.ts'

export interface DeliveryQuery extends PageOptions {
  readonly skill?: string | undefined
  readonly stage?: string | undefined
  readonly run?: string | undefined
  readonly status?: DeliveryStatus | undefined
}

/** Calls about webhooks and what they sent. */
export function createWebhookApi({ ok, call }: Http) {
  return {
    /** Null: there is none. */
    async findWebhook(skill: string, stage: string): Promise<Webhook | null> {
      const { status, body } = await call<Webhook>('GET', webhookPath(skill, stage))
      if (status === 200) return body
      if (status !== 404) return ok('GET', webhookPath(skill, stage))
      // A stage that is not there is told of as such.
      await ok('GET', stagePath(skill, stage))
      return null
    },
    showWebhook: (skill: string, stage: string): Promise<Webhook> => ok('GET', webhookPath(skill, stage)),
    putWebhook: (skill: string, stage: string, body: Partial<WebhookSpec> & { revision: number }): Promise<Webhook> =>
      ok('PUT', webhookPath(skill, stage), { body }),
    deleteWebhook: (skill: string, stage: string): Promise<void> => ok('DELETE', webhookPath(skill, stage)),

    listDeliveries: (query: DeliveryQuery): Promise<Page<Delivery>> =>
      ok('GET', '/api/deliveries', { query: { ...query } }),
    findDelivery: (delivery: string): Promise<Delivery & { payload: WebhookPayload }> =>
      ok('GET', deliveryPath(delivery)),
    redeliver: (delivery: string): Promise<Delivery> => ok('POST', `${deliveryPath(delivery)}/redeliver`),
  }
}

const stagePath = (skill: string, stage: string): string =>
  `/api/skills/${encodeURIComponent(skill)}/stages/${encodeURIComponent(stage)}`
const webhookPath = (skill: string, stage: string): string => `${stagePath(skill, stage)}/webhook`
const deliveryPath = (delivery: string): string => `/api/deliveries/${encodeURIComponent(delivery)}`
