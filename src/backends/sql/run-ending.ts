import { now } from '../../model/json.ts'
import { type FailureReason, type Run, NOT_EXECUTED } from '../../model/runs.ts'
import type { Claim, Ending, RunStore } from '../run-ports.ts'
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
    finish(id, token, ending, claimed) {
      return db.tx(async (t) => {
        const held = await t.change('DELETE FROM queue WHERE run = ? AND token = ?', id, token)
        return held === 0 ? null : endRun(t, watchers, id, ending, claimed)
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

/**
 * Writes the terminal state and the last events, and meters the run.
 * @param id Of a run whose queue row is gone or never was: nobody else writes to it.
 * @param claimed See `RunStore.finish`.
 */
export async function endRun(
  t: Transaction,
  watchers: Watchers,
  id: string,
  ending: Ending,
  claimed?: Claim['run'],
): Promise<Run> {
  const { before, seq, counted } = await (claimed === undefined ? standing(t, id) : sinceClaimed(t, claimed))
  const { status, reason, error, session, warm, start_ms, execution_ms, usage, throttle, output, logs } = ending
  const at = Date.now()
  const run: Run = {
    ...before,
    status,
    reason,
    error,
    session,
    warm,
    start_ms,
    execution_ms,
    usage,
    billable_ms: before.billable_ms === null ? ending.billable_ms : before.billable_ms + (ending.billable_ms ?? 0),
    throttle,
    dead_letter: ending.dead_letter === true || reason === 'worker_lost',
    finished_at: now(at),
    input: null,
    output: null,
  }
  const events = logs.length === 0 ? [] : [logEvent(logs)]
  events.push(resultEvent(run, output))
  const last = seq + events.length
  await t.query(
    `UPDATE runs SET status = ?, reason = ?, error = ?, session = ?, warm = ?, start_ms = ?, execution_ms = ?, usage = ?,
     billable_ms = ?, throttle = ?, dead_letter = ?, finished_at = ?, seq = ? WHERE id = ?`,
    status,
    reason,
    json(error),
    session,
    bit(warm),
    start_ms,
    execution_ms,
    json(usage),
    run.billable_ms,
    json(throttle),
    bit(run.dead_letter),
    run.finished_at,
    last,
    id,
  )
  if (output !== null) await t.query('INSERT INTO run_outputs (run, body) VALUES (?, ?)', id, output)
  await meter(t, run, counted, ending, at)
  await writeEvents(t, watchers, run, last, events, run.finished_at!, { run, output })
  await announceEnd(t, watchers, run, status, output)
  if (run.scheduled_for !== null) await admitHeld(t, watchers, run)
  watchers.runEnded(t, run)
  return run
}

/** A run that is to end. */
interface Standing {
  readonly before: Run
  /** Number of its last event. */
  readonly seq: number
  /** Whether it is in the quota. */
  readonly counted: boolean
}

async function standing(t: Transaction, id: string): Promise<Standing> {
  const [row] = await t.query<RunRow>('SELECT * FROM runs WHERE id = ?', id)
  return { before: toRun(row!), seq: row!.seq, counted: row!.counted === 1 }
}

/** While a lease lasts, others only add events and ask for it to stop. */
async function sinceClaimed(t: Transaction, claimed: Claim['run']): Promise<Standing> {
  const [row] = await t.query<Pick<RunRow, 'seq' | 'cancel_requested'>>(
    'SELECT seq, cancel_requested FROM runs WHERE id = ?',
    claimed.id,
  )
  return { before: { ...claimed, cancel_requested: row!.cancel_requested === 1 }, seq: row!.seq, counted: true }
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
