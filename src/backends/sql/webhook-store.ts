import { SkilletError, notFound } from '../../model/errors.ts'
import type { Webhook } from '../../model/webhooks.ts'
import type { WebhookStore } from '../flow-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { createDeliveryAttempts } from './delivery-attempts.ts'
import { createDeliveryList } from './delivery-list.ts'
import { createDeliveryTaking } from './delivery-taking.ts'
import { requireSecret } from './secret-use.ts'
import type { Watchers } from './watchers.ts'
import { cancelWaiting } from './webhook-ending.ts'
import { type WebhookRow, toWebhook } from './webhook-rows.ts'

export function createWebhookStore(db: Database, watchers: Watchers): WebhookStore {
  return {
    ...createDeliveryList(db, watchers),
    ...createDeliveryTaking(db, watchers),
    ...createDeliveryAttempts(db, watchers),

    async putWebhook(webhook, revision, note) {
      const put = await db.tx(async (t) => {
        const { tenant, stage } = webhook
        // Whoever deletes the stage comes before and is seen, or comes after and sees the webhook.
        const [place] = await t.query(
          'UPDATE stages SET revision = revision WHERE id = ? AND tenant = ? RETURNING id',
          stage,
          tenant,
        )
        if (place === undefined) throw notFound('stage', stage)
        await requireSecret(t, tenant, webhook.secret)
        const before = await find(t, tenant, stage)
        // Revision 0 stands for "there is none yet".
        if (revision !== undefined && revision !== (before?.revision ?? 0)) throw changed(revision, before)
        const after: Webhook = {
          ...webhook,
          // What is put is to be tried: that it failed is forgotten. One that stays disabled still says why.
          disabled_reason: webhook.enabled ? null : (before?.disabled_reason ?? null),
          failing_since: null,
          revision: (before?.revision ?? 0) + 1,
          created_by: before?.created_by ?? webhook.created_by,
          created_at: before?.created_at ?? webhook.created_at,
        }
        // What a former one left, if anything.
        const due = after.enabled ? `(SELECT min(due) FROM deliveries WHERE stage = ? AND status = 'pending')` : 'NULL'
        await t.query(
          `INSERT INTO webhooks (stage, tenant, skill, url, secret, events, enabled, disabled_reason, failing_since, due, revision,
           created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ${due}, ?, ?, ?, ?)
           ON CONFLICT (stage) DO UPDATE SET url = excluded.url, secret = excluded.secret, events = excluded.events,
           enabled = excluded.enabled, disabled_reason = excluded.disabled_reason, failing_since = NULL,
           due = excluded.due, revision = excluded.revision,
           updated_at = excluded.updated_at`,
          stage,
          tenant,
          after.skill,
          after.url,
          after.secret,
          JSON.stringify(after.events),
          Number(after.enabled),
          after.disabled_reason,
          ...(after.enabled ? [stage] : []),
          after.revision,
          after.created_by,
          after.created_at,
          after.updated_at,
        )
        await writeAudit(t, note, { before, after })
        return after
      })
      if (!put.enabled) await cancelWaiting(db, put.stage, put.disabled_reason ?? 'disabled')
      return put
    },

    findWebhook: (tenant, stage) => find(db, tenant, stage),

    async deleteWebhook(tenant, stage, note) {
      const deleted = await db.tx(async (t) => {
        const [gone] = await t.query<WebhookRow>(
          'DELETE FROM webhooks WHERE stage = ? AND tenant = ? RETURNING *',
          stage,
          tenant,
        )
        if (gone === undefined) return false
        await writeAudit(t, note, { before: toWebhook(gone) })
        return true
      })
      if (deleted) await cancelWaiting(db, stage, 'deleted')
      return deleted
    },

    watchDeliveries: (wake) => watchers.watchDeliveries(wake),
  }
}

async function find(from: Queries, tenant: string, stage: string): Promise<Webhook | null> {
  const [row] = await from.query<WebhookRow>('SELECT * FROM webhooks WHERE stage = ? AND tenant = ?', stage, tenant)
  return row === undefined ? null : toWebhook(row)
}

function changed(expected: number, present: Webhook | null): SkilletError {
  const is = present === null ? 'there is none' : `it is at revision ${present.revision}`
  return new SkilletError('webhook_changed', `The webhook was expected at revision ${expected}; ${is}.`, {
    data: present === null ? {} : { revision: present.revision },
  })
}
