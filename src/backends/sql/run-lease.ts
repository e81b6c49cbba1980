import { now } from '../../model/json.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { Claim, RunStore } from '../ports.ts'
import type { Database, Transaction } from './database.ts'
import { type RunRow, toRun } from './rows.ts'
import { literal } from './page.ts'
import { endAbandoned } from './run-ending.ts'
import { logEvent, writeEvents } from './run-events.ts'
import type { Watchers } from './watchers.ts'

type RunLeases = Pick<RunStore, 'take' | 'heartbeat' | 'appendLogs' | 'release' | 'recover' | 'nextVisible'>

/** A queue row with its run and the run's input. */
interface Lease extends RunRow {
  readonly place: number
  readonly token: number
  readonly enqueued_at: number
  readonly body: string
}

/** A lease is a queue row that is invisible until it runs out; its token changes with every claim and counts up only. */
export function createRunLeases(db: Database, watchers: Watchers): RunLeases {
  /** Null: there was nothing to execute any more, the run is over. */
  async function begin(t: Transaction, lease: Lease, at: number): Promise<Claim | null> {
    const { place: _place, enqueued_at, body, token, ...before } = lease
    if (before.cancel_requested === 1 || before.attempt >= LIMITS.attempts) {
      await endAbandoned(t, watchers, before)
      return null
    }
    const row: RunRow = {
      ...before,
      status: 'running',
      attempt: before.attempt + 1,
      seq: before.seq + 1,
      started_at: before.started_at ?? now(at),
      queue_ms: before.queue_ms ?? Math.max(0, at - enqueued_at),
    }
    await t.query(
      `UPDATE runs SET status = 'running', attempt = ?, seq = ?, started_at = ?, queue_ms = ? WHERE id = ?`,
      row.attempt,
      row.seq,
      row.started_at,
      row.queue_ms,
      row.id,
    )
    await writeEvents(t, row.id, row.seq, [{ type: 'status', data: { status: 'running', attempt: row.attempt } }])
    watchers.runChanged(t, row.id)
    return { run: toRun(row, { input: body, output: null }), token }
  }

  return {
    async take(queue, count, leaseMs) {
      if (count < 1) return []
      return db.tx(async (t) => {
        const at = Date.now()
        const leases = await t.query<Lease>(
          `SELECT place, token + 1 AS token, enqueued_at, body, runs.* FROM queue JOIN runs ON runs.id = queue.run
           JOIN run_inputs ON run_inputs.run = queue.run WHERE queue = ? AND visible_at <= ?
           ORDER BY visible_at, place LIMIT ${literal(count)}${db.dialect.skipLocked}`,
          queue,
          at,
        )
        const claims: Claim[] = []
        for (const lease of leases) {
          const { place, token } = lease
          await t.query('UPDATE queue SET visible_at = ?, token = ? WHERE place = ?', at + leaseMs, token, place)
          const claim = await begin(t, lease, at)
          if (claim !== null) claims.push(claim)
        }
        return claims
      })
    },

    async heartbeat(claims, leaseMs) {
      if (claims.length === 0) return []
      return db.tx(async (t) => {
        const until = Date.now() + leaseMs
        const answers: ('held' | 'cancel' | 'lost')[] = []
        for (const { run, token } of claims) {
          const [held] = await t.query<{ cancel: number }>(
            `UPDATE queue SET visible_at = ? WHERE run = ? AND token = ?
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
        const [held] = await t.query(
          'UPDATE queue SET token = token WHERE run = ? AND token = ? RETURNING run',
          id,
          token,
        )
        if (held === undefined) return false
        if (lines.length === 0) return true
        const [row] = await t.query<{ seq: number }>('UPDATE runs SET seq = seq + 1 WHERE id = ? RETURNING seq', id)
        await writeEvents(t, id, row!.seq, [logEvent(lines)])
        watchers.runChanged(t, id)
        return true
      })
    },

    release(id, token) {
      return db.tx(async (t) => {
        // Back to its old place. The token goes up: whoever gave the run back may not write to it any more.
        const [row] = await t.query<{ queue: QueueName }>(
          'UPDATE queue SET visible_at = enqueued_at, token = token + 1 WHERE run = ? AND token = ? RETURNING queue',
          id,
          token,
        )
        if (row === undefined) return false
        const [run] = await t.query<{ seq: number }>(
          `UPDATE runs SET status = 'queued', attempt = attempt - 1, seq = seq + 1,
           started_at = CASE WHEN attempt = 1 THEN NULL ELSE started_at END,
           queue_ms = CASE WHEN attempt = 1 THEN NULL ELSE queue_ms END WHERE id = ? RETURNING seq`,
          id,
        )
        const back = { type: 'status', data: { status: 'queued', reason: 'released' } } as const
        await writeEvents(t, id, run!.seq, [back])
        watchers.runChanged(t, id)
        watchers.queueChanged(t, row.queue)
        return true
      })
    },

    recover() {
      return db.tx(async (t) => {
        const rows = await t.query<{ queue: QueueName }>(
          `UPDATE queue SET visible_at = enqueued_at, token = token + 1
           WHERE run IN (SELECT run FROM queue JOIN runs ON runs.id = run WHERE status = 'running') RETURNING queue`,
        )
        for (const queue of new Set(rows.map((row) => row.queue))) watchers.queueChanged(t, queue)
        return rows.length
      })
    },

    async nextVisible(queue) {
      const [row] = await db.query<{ at: number | null }>(
        'SELECT min(visible_at) AS at FROM queue WHERE queue = ?',
        queue,
      )
      return row?.at ?? null
    },
  }
}
