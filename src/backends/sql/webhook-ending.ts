import type { AuditNote } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { CancelReason, Webhook } from '../../model/webhooks.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { literal } from './page.ts'
import type { Watchers } from './watchers.ts'
import { type WebhookRow, toWebhook } from './webhook-rows.ts'

/** So many deliveries are cancelled in one transaction, so that others get their turn. */
const STEP = 200

/**
 * Cancels what waits for an endpoint whose webhook was deleted or disabled, after that is durable: there may be a great many. What a crash
 * leaves is for `cancelStranded`. What is being sent cannot be called back: whoever sends it may still say that it arrived.
 */
export async function cancelWaiting(db: Database, stage: string, reason: CancelReason): Promise<void> {
  for (;;) {
    const cancelled = await db.tx(async (t) => {
      // Enabled again meanwhile: the rest is to be sent.
      const [webhook] = await t.query('SELECT stage FROM webhooks WHERE stage = ? AND enabled = 1', stage)
      if (webhook !== undefined) return 0
      const rows = await t.query(
        `UPDATE deliveries SET status = 'cancelled', reason = ?, due = NULL, finished_at = ?
         WHERE id IN (SELECT id FROM deliveries WHERE stage = ? AND status = 'pending' LIMIT ${literal(STEP)}) RETURNING id`,
        reason,
        now(),
        stage,
      )
      return rows.length
    })
    if (cancelled < STEP) return
  }
}

/** After a restart: cancels what waits without a webhook that is enabled. */
export async function cancelStranded(db: Database): Promise<void> {
  // One step along the index for each endpoint with something that waits, however much that is.
  const stranded = await db.query<{ stage: string; reason: 'gone' | 'failing' | null; there: number }>(
    `WITH RECURSIVE waiting (stage) AS (
       SELECT min(stage) FROM deliveries WHERE status = 'pending'
       UNION ALL SELECT (SELECT min(stage) FROM deliveries WHERE status = 'pending' AND stage > waiting.stage)
       FROM waiting WHERE waiting.stage IS NOT NULL)
     SELECT waiting.stage, w.disabled_reason AS reason, CASE WHEN w.stage IS NULL THEN 0 ELSE 1 END AS there
     FROM waiting LEFT JOIN webhooks w ON w.stage = waiting.stage
     WHERE waiting.stage IS NOT NULL AND (w.stage IS NULL OR w.enabled = 0)`,
  )
  for (const { stage, reason, there } of stranded) {
    await cancelWaiting(db, stage, there === 0 ? 'deleted' : (reason ?? 'disabled'))
  }
}

/** For a stage or skill that is deleted: its webhooks go with it. @returns The stages for which `cancelWaiting` is to follow. */
export async function endWebhooksOf(t: Transaction, column: 'skill' | 'stage', id: string): Promise<string[]> {
  const stages = column === 'stage' ? '?' : 'SELECT id FROM stages WHERE skill = ?'
  const gone = await t.query<{ stage: string }>(`DELETE FROM webhooks WHERE stage IN (${stages}) RETURNING stage`, id)
  return gone.map(({ stage }) => stage)
}

/** Ends a webhook whose endpoint is gone or has failed for too long. @returns Whether it was still the one that failed: then `cancelWaiting` is to follow. */
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
