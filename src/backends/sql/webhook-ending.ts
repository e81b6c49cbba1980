import type { AuditNote } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { CancelReason, Webhook } from '../../model/webhooks.ts'
import { writeAudit } from './audit-log.ts'
import type { Transaction } from './database.ts'
import type { Watchers } from './watchers.ts'
import { type WebhookRow, toWebhook } from './webhook-rows.ts'

/**
 * Cancels what waits for the endpoint of a stage. What is being sent cannot be called back: whoever sends it may still say that it arrived.
 * On a webhook that is there, `due` is for the caller to clear.
 */
export async function cancelPending(t: Transaction, stage: string, reason: CancelReason): Promise<void> {
  await t.query(
    `UPDATE deliveries SET status = 'cancelled', reason = ?, due = NULL, finished_at = ? WHERE stage = ? AND status = 'pending'`,
    reason,
    now(),
    stage,
  )
}

/** For a stage or skill that is deleted: its webhooks go with it. */
export async function endWebhooksOf(t: Transaction, column: 'skill' | 'stage', id: string): Promise<void> {
  const stages = column === 'stage' ? '?' : 'SELECT id FROM stages WHERE skill = ?'
  const gone = await t.query<{ stage: string }>(`DELETE FROM webhooks WHERE stage IN (${stages}) RETURNING stage`, id)
  for (const { stage } of gone) await cancelPending(t, stage, 'deleted')
}

/** Ends a webhook whose endpoint is gone or has failed for too long. @returns Whether it was still the one that failed. */
export async function disableWebhook(
  t: Transaction,
  watchers: Watchers,
  { stage, revision, reason }: { stage: string; revision: number; reason: 'gone' | 'failing' },
): Promise<boolean> {
  // Another delivery may have succeeded meanwhile.
  const still = reason === 'failing' ? 'AND failing_since IS NOT NULL' : ''
  const [before] = await t.query<WebhookRow>(
    `SELECT * FROM webhooks WHERE stage = ? AND revision = ? AND enabled = 1 ${still}`,
    stage,
    revision,
  )
  if (before === undefined) return false
  const at = now()
  const [after] = await t.query<WebhookRow>(
    `UPDATE webhooks SET enabled = 0, disabled_reason = ?, due = NULL, revision = revision + 1, updated_at = ? WHERE stage = ? RETURNING *`,
    reason,
    at,
    stage,
  )
  await cancelPending(t, stage, reason)
  const webhook = toWebhook(after!)
  await t.query(
    `INSERT INTO events (tenant, skill, stage, type, at, data) VALUES (?, ?, ?, 'webhook.disabled', ?, ?)`,
    webhook.tenant,
    webhook.skill,
    stage,
    at,
    JSON.stringify({ reason, failing_since: webhook.failing_since }),
  )
  watchers.tenantChanged(t, webhook.tenant)
  await writeAudit(t, noteOfDisabling(webhook), { before: toWebhook(before), after: webhook })
  return true
}

function noteOfDisabling({ tenant, skill, stage, disabled_reason, failing_since }: Webhook): AuditNote {
  return {
    tenant,
    actor_kind: 'system',
    actor: 'webhooks',
    action: 'webhook.disable',
    target_kind: 'webhook',
    target: stage,
    request_id: null,
    client: null,
    detail: { skill, reason: disabled_reason, failing_since },
  }
}
