import { z } from 'zod'
import { AnyObject, Instant } from './json.ts'

/** What a webhook may be told of: noun, then verb. */
export const WEBHOOK_EVENTS = [
  'run.succeeded',
  'run.failed',
  'run.cancelled',
  'run.throttled',
  'schedule.skipped',
  'schedule.missed',
] as const
export const WebhookEvent = z.enum(WEBHOOK_EVENTS).meta({ id: 'WebhookEvent' })
export type WebhookEvent = z.infer<typeof WebhookEvent>

/** Where and how a stage tells of what happens on it (seed 000: webhook_url and webhook_secret_arn; Standard Webhooks 1.0.0). */
export const WebhookSpec = z
  .strictObject({
    url: z.string().min(1).max(2048).meta({ example: 'https://example.com/hooks' }),
    secret: z.string().min(1).max(300).meta({
      description: 'Id, name or path of a secret of the tenant, of kind value: `whsec_` and base64 of 24 to 64 bytes.',
    }),
    events: z
      .array(WebhookEvent)
      .min(1)
      .max(WEBHOOK_EVENTS.length)
      .default(['run.succeeded', 'run.failed', 'run.cancelled', 'run.throttled'])
      .meta({
        description: 'What it is told of. Default: how runs end.',
      }),
    enabled: z.boolean().default(true).meta({ description: 'Enabling it again also forgets that it failed.' }),
  })
  .meta({ id: 'WebhookSpec' })
export type WebhookSpec = z.infer<typeof WebhookSpec>

export const Webhook = WebhookSpec.extend({
  tenant: z.string(),
  skill: z.string(),
  stage: z.string(),
  secret: z.string().meta({ description: 'Id of the secret.' }),
  disabled_reason: z.enum(['gone', 'failing']).nullable().meta({
    description: 'Why the server disabled it: the endpoint answered 410, or it failed for days.',
  }),
  failing_since: Instant.nullable().meta({ description: 'Since when no attempt succeeded.' }),
  revision: z.number().int(),
  created_by: z.string(),
  created_at: Instant,
  updated_at: Instant,
}).meta({ id: 'Webhook' })
export type Webhook = z.infer<typeof Webhook>

/**
 * `pending` until an attempt ends it: `delivered`; `failed`: given up; `rejected`: it could not be signed or its target may not be reached,
 * so that nothing was sent; `cancelled`: the webhook was deleted or disabled before.
 */
export const DeliveryStatus = z
  .enum(['pending', 'delivered', 'failed', 'rejected', 'cancelled'])
  .meta({ id: 'DeliveryStatus' })
export type DeliveryStatus = z.infer<typeof DeliveryStatus>

/** Why the rest was not sent. */
export const CancelReason = z.enum(['deleted', 'disabled', 'gone', 'failing']).meta({ id: 'CancelReason' })
export type CancelReason = z.infer<typeof CancelReason>

export const DeliveryAttempt = z
  .object({
    at: Instant,
    ms: z.number().int(),
    status: z.number().int().nullable().meta({ description: 'Of the answer, if there was one.' }),
    error: z.string().nullable(),
  })
  .meta({ id: 'DeliveryAttempt' })
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>

/** One message to one endpoint. Its id is the `webhook-id`, the same in every attempt. */
export const Delivery = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    stage: z.string(),
    run: z.string().nullable(),
    event: WebhookEvent,
    status: DeliveryStatus,
    reason: CancelReason.nullable().meta({
      description: 'Of a cancelled one: what became of the webhook. `gone` and `failing`: the server disabled it.',
    }),
    attempts: z.array(DeliveryAttempt).meta({ description: 'The last 20, oldest first.' }),
    next_attempt_at: Instant.nullable(),
    created_at: Instant,
    finished_at: Instant.nullable(),
  })
  .meta({ id: 'Delivery' })
export type Delivery = z.infer<typeof Delivery>

/** How many attempts of a delivery are remembered. */
export const ATTEMPTS_KEPT = 20

/** What is sent: Standard Webhooks' payload. */
export const WebhookPayload = z
  .object({ type: WebhookEvent, timestamp: Instant, data: AnyObject })
  .meta({ id: 'WebhookPayload' })
export type WebhookPayload = z.infer<typeof WebhookPayload>
