import type { RunStore } from '../run-ports.ts'
import type { Database } from './database.ts'
import type { RunRow } from './rows.ts'
import { comeBack } from './queue-order.ts'
import { QUEUES, followAllPauses } from './queue-pausing.ts'
import { cancelStranded } from './run-cancelling.ts'
import { logEvent, writeEvents } from './run-events.ts'
import { takeRuns } from './run-taking.ts'
import type { Watchers } from './watchers.ts'

type RunLeases = Pick<RunStore, 'take' | 'heartbeat' | 'appendLogs' | 'release' | 'recover' | 'nextVisible'>

/** Takes both queues. The first condition is that of an index. */
const LEASED = `queue IN (?, ?) AND state IN ('leased', 'later') AND state = 'leased'`

/** A lease is a queue row that is invisible until it runs out; its token changes with every claim and counts up only. */
export function createRunLeases(db: Database, watchers: Watchers): RunLeases {
  return {
    async take(queue, count, leaseMs, begin) {
      if (count < 1) return []
      return db.tx((t) => takeRuns(t, watchers, queue, count, { leaseMs, begin }))
    },

    async heartbeat(claims, leaseMs) {
      if (claims.length === 0) return []
      return db.tx(async (t) => {
        const until = Date.now() + leaseMs
        const answers: ('held' | 'cancel' | 'lost')[] = []
        for (const { run, token } of claims) {
          const [held] = await t.query<{ cancel: number }>(
            `UPDATE queue SET state = 'leased', visible_at = ? WHERE run = ? AND token = ?
             RETURNING (SELECT cancel_requested FROM runs WHERE runs.id = queue.run) AS cancel`,
            until,
            run,
            token,
          )
          if (held === undefined) answers.push('lost')
          else answers.push(held.cancel === 1 ? 'cancel' : 'held')
        }
        return answers
      })
    },

    async appendLogs(id, token, lines) {
      return db.tx(async (t) => {
        // Takes the queue row, so that the lease cannot pass to another between here and the commit.
        const held = await t.change('UPDATE queue SET token = token WHERE run = ? AND token = ?', id, token)
        if (held === 0) return false
        if (lines.length === 0) return true
        const [row] = await t.query<RunRow>('UPDATE runs SET seq = seq + 1 WHERE id = ? RETURNING id, tenant, seq', id)
        await writeEvents(t, watchers, row!, row!.seq, [logEvent(lines)])
        return true
      })
    },

    release(id, token) {
      return db.tx(async (t) => {
        // The token goes up: whoever gave the run back may not write to it any more.
        const [row] = await t.query<{ place: number }>(
          `UPDATE queue SET state = 'leased', token = token + 1 WHERE run = ? AND token = ? RETURNING place`,
          id,
          token,
        )
        if (row === undefined) return false
        for (const queue of await comeBack(t, 'place = ?', row.place)) watchers.queueChanged(t, queue)
        const [run] = await t.query<RunRow>(
          `UPDATE runs SET status = 'queued', attempt = attempt - 1, seq = seq + 1,
           started_at = CASE WHEN attempt = 1 THEN NULL ELSE started_at END,
           queue_ms = CASE WHEN attempt = 1 THEN NULL ELSE queue_ms END WHERE id = ? RETURNING *`,
          id,
        )
        const back = { type: 'status', data: { status: 'queued', reason: 'released' } } as const
        await writeEvents(t, watchers, run!, run!.seq, [back])
        return true
      })
    },

    async recover() {
      await followAllPauses(db, watchers)
      const leases = await db.tx(async (t) => {
        const rows = await t.query(`UPDATE queue SET token = token + 1 WHERE ${LEASED} RETURNING place`, ...QUEUES)
        for (const queue of await comeBack(t, LEASED, ...QUEUES)) watchers.queueChanged(t, queue)
        return rows.length
      })
      await cancelStranded(db, watchers)
      return leases
    },

    async nextVisible(queue) {
      const [row] = await db.query<{ at: number | null }>(
        `SELECT coalesce((SELECT enqueued_at FROM queue WHERE queue = ? AND state = 'waiting' LIMIT 1),
           (SELECT min(visible_at) FROM queue WHERE queue = ? AND state IN ('leased', 'later'))) AS at`,
        queue,
        queue,
      )
      return row?.at ?? null
    },
  }
}
