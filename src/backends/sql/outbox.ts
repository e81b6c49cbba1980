import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { WebhookEvent } from '../../model/webhooks.ts'
import type { Transaction } from './database.ts'
import type { Watchers } from './watchers.ts'

/** Where it happened. */
export interface Origin {
  readonly tenant: string
  readonly skill: string
  readonly stage: string
  readonly run: string | null
}

/**
 * Puts a message for the stage's webhook into the outbox, in the transaction of what it tells of: both are kept or neither. Nothing happens
 * on a stage without a webhook, or whose webhook does not ask for this event.
 * @param data Of the payload, besides where it happened; made only when it is needed.
 */
export async function announce(
  t: Transaction,
  watchers: Watchers,
  origin: Origin,
  event: WebhookEvent,
  data: () => object,
): Promise<void> {
  const [webhook] = await t.query<{ events: string; due: number | null; skill_name: string; stage_name: string }>(
    `SELECT w.events, w.due, k.name AS skill_name, s.name AS stage_name FROM webhooks w
     JOIN stages s ON s.id = w.stage JOIN skills k ON k.id = s.skill WHERE w.stage = ? AND w.enabled = 1`,
    origin.stage,
  )
  if (webhook === undefined || !(JSON.parse(webhook.events) as string[]).includes(event)) return
  const at = Date.now()
  const { skill, stage, run } = origin
  const { skill_name, stage_name } = webhook
  await t.query(
    `INSERT INTO deliveries (id, tenant, skill, stage, run, event, status, payload, attempts, due, token, created_at)
     VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, '[]', ?, 0, ?)`,
    newId('delivery', at),
    origin.tenant,
    skill,
    stage,
    run,
    event,
    JSON.stringify({ type: event, timestamp: now(at), data: { skill, skill_name, stage, stage_name, run, ...data() } }),
    at,
    now(at),
  )
  if (webhook.due === null || webhook.due > at) {
    await t.query('UPDATE webhooks SET due = ? WHERE stage = ?', at, origin.stage)
  }
  watchers.deliveriesChanged(t)
}
