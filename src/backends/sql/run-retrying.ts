import { now } from '../../model/json.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { RunStore } from '../run-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { meterAttempt } from './metering.ts'
import { readRun } from './run-admission.ts'
import type { RunRow } from './rows.ts'
import { endRun } from './run-ending.ts'
import { logEvent, writeEvents } from './run-events.ts'
import type { Watchers } from './watchers.ts'

/** Runs that failed: tried again, or put aside for people. */
export function createRunRetrying(db: Database, watchers: Watchers): Pick<RunStore, 'retry' | 'dismiss'> {
  return {
    retry(id, token, ending, delayMs) {
      return db.tx(async (t) => {
        const at = Date.now()
        const due = at + delayMs
        const [lease] = await t.query<{ queue: QueueName }>(
          `UPDATE queue SET state = 'later', visible_at = ?, token = token + 1 WHERE run = ? AND token = ? RETURNING queue`,
          due,
          id,
          token,
        )
        if (lease === undefined) return false
        // Read with the queue row in hand: who cancels takes that first, too.
        const [asked] = await t.query('SELECT id FROM runs WHERE id = ? AND cancel_requested = 1', id)
        if (asked !== undefined) {
          // Who wants it to stop wants no further attempt.
          await t.query('DELETE FROM queue WHERE run = ?', id)
          const stopped = { status: 'cancelled', reason: null, error: null, output: null, dead_letter: false } as const
          await endRun(t, watchers, id, { ...ending, ...stopped })
          return true
        }
        // What the attempt cost adds up; what else is known of it is in its event.
        const [run] = await t.query<RunRow>(
          `UPDATE runs SET status = 'queued', retries = retries + 1, seq = seq + ?,
             billable_ms = coalesce(billable_ms, 0) + ? WHERE id = ? RETURNING *`,
          ending.logs.length === 0 ? 1 : 2,
          ending.billable_ms ?? 0,
          id,
        )
        await meterAttempt(t, run!, ending, at)
        const { reason, error } = ending
        const data = {
          status: 'queued',
          reason: 'retry',
          attempt: run!.attempt,
          failure: reason,
          error,
          retry_at: now(due),
        }
        const logs = ending.logs.length === 0 ? [] : [logEvent(ending.logs)]
        await writeEvents(t, watchers, run!, run!.seq, [...logs, { type: 'status', data }])
        watchers.queueChanged(t, lease.queue)
        return true
      })
    },

    async dismiss(tenant, id, note) {
      const known = await db.tx(async (t) => {
        const [row] = await t.query(
          'UPDATE runs SET dead_letter = 0 WHERE id = ? AND tenant = ? AND dead_letter = 1 RETURNING id',
          id,
          tenant,
        )
        if (row === undefined) return false
        await writeAudit(t, note, { before: { id, dead_letter: true }, after: { id, dead_letter: false } })
        return true
      })
      return known ? readRun(db, tenant, id) : null
    },
  }
}
