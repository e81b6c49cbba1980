import { now } from '../../model/json.ts'
import { type FailureReason, type Run, NOT_EXECUTED } from '../../model/runs.ts'
import type { Ending, RunStore } from '../run-ports.ts'
import type { Database, Transaction } from './database.ts'
import { meter } from './metering.ts'
import { announce } from './outbox.ts'
import { admitHeld } from './queue-order.ts'
import type { Refusal } from './quota-admission.ts'
import { type RunRow, bit, json, toRun } from './rows.ts'
import { logEvent, resultEvent, writeEvents } from './run-events.ts'
import type { Watchers } from './watchers.ts'

/**
 * How runs end. Whoever touches both rows of a run takes its queue row first: the same order everywhere is what keeps two
 * transactions on PostgreSQL from waiting for each other.
 */
export function createRunEnding(db: Database, watchers: Watchers): Pick<RunStore, 'finish'> {
  return {
    finish(id, token, ending) {
      return db.tx(async (t) => {
        const [lease] = await t.query('DELETE FROM queue WHERE run = ? AND token = ? RETURNING run', id, token)
        if (lease === undefined) return null
        return endRun(t, watchers, id, ending)
      })
    },
  }
}

/** Of a run that ends without having begun. */
const NOTHING: Omit<Ending, 'status' | 'reason' | 'error'> = { ...NOT_EXECUTED, output: null, logs: [] }
export const CANCELLED: Ending = { ...NOTHING, status: 'cancelled', reason: null, error: null }

/** A run that ends as failed although nothing was executed. */
export function failure(reason: FailureReason, type: string, message: string): Ending {
  return { ...NOTHING, status: 'failed', reason, error: { type, message } }
}

/** Writes the terminal state and the last events, and meters the run. @param id Of a run whose queue row is gone or never was: nobody else writes to it. */
export async function endRun(t: Transaction, watchers: Watchers, id: string, ending: Ending): Promise<Run> {
  const { status, reason, session, start_ms, execution_ms, output, logs } = ending
  const events = logs.length === 0 ? [] : [logEvent(logs)]
  const at = Date.now()
  const [row] = await t.query<RunRow>(
    `UPDATE runs SET status = ?, reason = ?, error = ?, session = ?, warm = ?, start_ms = ?, execution_ms = ?, usage = ?,
     billable_ms = CASE WHEN billable_ms IS NULL THEN ? ELSE billable_ms + coalesce(?, 0) END, throttle = ?, dead_letter = ?,
     finished_at = ?, seq = seq + ? WHERE id = ? RETURNING *`,
    status,
    reason,
    json(ending.error),
    session,
    bit(ending.warm),
    start_ms,
    execution_ms,
    json(ending.usage),
    ending.billable_ms,
    ending.billable_ms,
    json(ending.throttle),
    Number(ending.dead_letter === true || reason === 'worker_lost'),
    now(at),
    events.length + 1,
    id,
  )
  if (output !== null) await t.query('INSERT INTO run_outputs (run, body) VALUES (?, ?)', id, output)
  await meter(t, row!, ending, at)
  const run = toRun(row!)
  events.push(resultEvent(run, output))
  await writeEvents(t, watchers, row!, row!.seq, events, run.finished_at!, { run, output })
  await announceEnd(t, watchers, run, ending.status, output)
  if (run.scheduled_for !== null) await admitHeld(t, watchers, run)
  watchers.runEnded(t, run)
  return run
}

/** Tells the stage's webhook: the same as the last event, and what the run is. */
async function announceEnd(
  t: Transaction,
  watchers: Watchers,
  run: Run,
  status: Ending['status'],
  output: string | null,
): Promise<void> {
  const { id, tenant, skill, stage, version, replay_of, scheduled_for, created_by, created_at, started_at } = run
  await announce(t, watchers, { tenant, skill, stage, run: id }, `run.${status}`, () => ({
    version,
    replay_of,
    scheduled_for,
    created_by,
    created_at,
    started_at,
    ...(resultEvent(run, output).data as object),
  }))
}

/** Ends a run that the quota keeps from being executed: nothing of it is billed. */
export async function endThrottled(
  t: Transaction,
  watchers: Watchers,
  id: string,
  { throttle, error }: Refusal,
): Promise<void> {
  await t.query('DELETE FROM queue WHERE run = ?', id)
  await endRun(t, watchers, id, { ...NOTHING, status: 'throttled', reason: null, error, throttle })
}

/** Ends a run that cannot go on although its worker did not end it: it was to be cancelled, or its workers were lost too often. */
export async function endAbandoned(t: Transaction, watchers: Watchers, run: RunRow): Promise<void> {
  await t.query('DELETE FROM queue WHERE run = ?', run.id)
  const message = `The worker was lost ${run.attempt - run.retries} times while it executed this run.`
  const ending = run.cancel_requested === 1 ? CANCELLED : failure('worker_lost', 'WorkerLost', message)
  await endRun(t, watchers, run.id, ending)
}
