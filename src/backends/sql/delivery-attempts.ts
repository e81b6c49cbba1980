import { now } from '../../model/json.ts'
import { ATTEMPTS_KEPT, type DeliveryAttempt } from '../../model/webhooks.ts'
import type { AttemptEnd, WebhookStore } from '../flow-ports.ts'
import type { Database, Transaction } from './database.ts'
import { dueFrom } from './delivery-taking.ts'
import type { Watchers } from './watchers.ts'
import { cancelWaiting, disableWebhook } from './webhook-ending.ts'
import { DELIVERY_COLUMNS, type DeliveryRow } from './webhook-rows.ts'

/** What becomes of deliveries that were tried. */
export function createDeliveryAttempts(db: Database, watchers: Watchers): Pick<WebhookStore, 'finishAttempt'> {
  return {
    async finishAttempt(id, token, attempt, end) {
      const { held, disabled } = await db.tx(async (t) => {
        const [row] = await t.query<DeliveryRow>(
          `UPDATE deliveries SET leased = 0 WHERE id = ? AND token = ? AND leased = 1 RETURNING ${DELIVERY_COLUMNS}`,
          id,
          token,
        )
        if (row === undefined) return { held: false, disabled: null }
        const { stage } = row
        await write(t, row, attempt, end)
        if (row.status === 'pending' && end.status === 'pending') {
          await dueFrom(t, stage, end.retryAt!)
          watchers.deliveriesChanged(t)
        }
        if (attempt !== null) await remember(t, stage, attempt, end)
        const { disable, revision } = end
        const ended = disable !== undefined && (await disableWebhook(t, watchers, { stage, revision, reason: disable }))
        return { held: true, disabled: ended ? { stage, reason: disable } : null }
      })
      if (disabled !== null) await cancelWaiting(db, disabled.stage, disabled.reason)
      return held
    },
  }
}

async function write(
  t: Transaction,
  row: DeliveryRow,
  attempt: DeliveryAttempt | null,
  end: AttemptEnd,
): Promise<void> {
  const attempts = JSON.parse(row.attempts) as DeliveryAttempt[]
  if (attempt !== null) attempts.push(attempt)
  // What was cancelled while it was sent stays so, unless it arrived.
  const cancelled = row.status === 'cancelled' && end.status !== 'delivered'
  const status = cancelled ? 'cancelled' : end.status
  const over = status !== 'pending'
  await t.query(
    `UPDATE deliveries SET status = ?, reason = CASE WHEN ? = 'cancelled' THEN reason ELSE NULL END, attempts = ?, tries = ?, due = ?,
     finished_at = ? WHERE id = ?`,
    status,
    status,
    JSON.stringify(attempts.slice(-ATTEMPTS_KEPT)),
    row.tries + (attempt === null ? 0 : 1),
    over ? null : end.retryAt!,
    over ? now() : null,
    row.id,
  )
}

/** Since when the endpoint fails, as far as this attempt tells. What could not be sent at all says nothing about it. */
async function remember(
  t: Transaction,
  stage: string,
  { at }: DeliveryAttempt,
  { status, revision }: AttemptEnd,
): Promise<void> {
  if (status === 'rejected') return
  const failed = status !== 'delivered'
  await t.query(
    `UPDATE webhooks SET failing_since = ? WHERE stage = ? AND revision = ? AND failing_since IS ${failed ? 'NULL' : 'NOT NULL'}`,
    failed ? at : null,
    stage,
    revision,
  )
}
