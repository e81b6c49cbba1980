import { now } from '../../model/json.ts'
import { LIMITS, type QueueName } from '../../model/sizes.ts'
import type { Claim } from '../ports.ts'
import type { Transaction } from './database.ts'
import { literal } from './page.ts'
import { type RunRow, toRun } from './rows.ts'
import { endAbandoned } from './run-ending.ts'
import { writeEvents } from './run-events.ts'
import type { Watchers } from './watchers.ts'

/** A queue row with its run and the run's input. */
interface Lease extends RunRow {
  readonly place: number
  readonly token: number
  readonly enqueued_at: number
  readonly body: string
}

/** The next runs of a queue, under leases and started, within a transaction of the caller. */
export async function takeRuns(
  t: Transaction,
  watchers: Watchers,
  queue: QueueName,
  count: number,
  leaseMs: number,
): Promise<Claim[]> {
  const at = Date.now()
  const leases = await t.query<Lease>(
    `SELECT place, token + 1 AS token, enqueued_at, body, runs.* FROM queue JOIN runs ON runs.id = queue.run
     JOIN run_inputs ON run_inputs.run = queue.run WHERE queue = ? AND visible_at <= ?
     ORDER BY visible_at, place LIMIT ${literal(count)}${t.dialect.skipLocked}`,
    queue,
    at,
  )
  const claims: Claim[] = []
  for (const lease of leases) {
    const { place, token } = lease
    await t.query('UPDATE queue SET visible_at = ?, token = ? WHERE place = ?', at + leaseMs, token, place)
    const claim = await begin(t, watchers, lease, at)
    if (claim !== null) claims.push(claim)
  }
  return claims
}

/** Null: there was nothing to execute any more, the run is over. */
async function begin(t: Transaction, watchers: Watchers, lease: Lease, at: number): Promise<Claim | null> {
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
