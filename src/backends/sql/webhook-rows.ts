import { now } from '../../model/json.ts'
import type { Delivery, Webhook } from '../../model/webhooks.ts'

/** Rows as the database gives them and the nouns they stand for. */

export interface WebhookRow extends Omit<Webhook, 'events' | 'enabled'> {
  readonly events: string
  readonly enabled: number
  readonly due: number | null
}

export function toWebhook({ due: _due, ...row }: WebhookRow): Webhook {
  return { ...row, events: JSON.parse(row.events) as Webhook['events'], enabled: row.enabled === 1 }
}

export interface DeliveryRow extends Omit<Delivery, 'attempts' | 'next_attempt_at'> {
  readonly attempts: string
  readonly tries: number
  readonly token: number
  readonly due: number | null
}

/** All that a list shows: payloads are read one by one. */
export const DELIVERY_COLUMNS =
  'id, tenant, skill, stage, run, event, status, reason, attempts, tries, token, due, created_at, finished_at'

export function toDelivery(row: DeliveryRow): Delivery {
  const { id, tenant, skill, stage, run, event, status, reason, attempts, due, created_at, finished_at } = row
  return {
    id,
    tenant,
    skill,
    stage,
    run,
    event,
    status,
    reason,
    attempts: JSON.parse(attempts) as Delivery['attempts'],
    next_attempt_at: due === null ? null : now(due),
    created_at,
    finished_at,
  }
}
