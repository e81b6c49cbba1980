import type { Schedule } from '../../model/schedules.ts'
import type { Transaction } from './database.ts'
import { CANCELLED, endRun } from './run-ending.ts'
import type { Watchers } from './watchers.ts'

/** Whether a run of a schedule may begin while others of it are not over. */
export interface Way {
  readonly outcome: 'started' | 'held' | 'skipped'
  /** Runs that were asked to stop. */
  readonly stopping: readonly string[]
  /** Too many to be cancelled at once: for `cancelRuns`, once this is durable. They are marked, so that whoever would take one ends it. */
  readonly rest: readonly string[]
}

/** In the transaction that begins the run: none of the others can end unseen, and one that is held is let go by the end of the last. */
export async function makeWay(
  t: Transaction,
  watchers: Watchers,
  stage: string,
  overlap: Schedule['overlap'],
): Promise<Way> {
  if (overlap === 'allow') return FREE
  const live = 'SELECT id FROM runs WHERE stage = ? AND scheduled_for IS NOT NULL AND finished_at IS NULL'
  // Queue rows first, as everywhere: whoever ends one of them comes before and is seen, or comes after and sees what is held.
  await t.query(`UPDATE queue SET token = token WHERE run IN (${live})`, stage)
  const others = await t.query<Other>(
    `SELECT runs.id, status, cancel_requested, state FROM runs JOIN queue ON queue.run = runs.id WHERE runs.id IN (${live})`,
    stage,
  )
  if (others.length === 0) return FREE
  if (overlap === 'skip') return { ...FREE, outcome: 'skipped' }
  if (overlap === 'queue_one') {
    return { ...FREE, outcome: others.some(({ state }) => state === 'held') ? 'skipped' : 'held' }
  }
  await t.query(`UPDATE runs SET cancel_requested = 1 WHERE id IN (${live})`, stage)
  return cancelAll(t, watchers, others)
}

interface Other {
  readonly id: string
  readonly status: string
  readonly cancel_requested: number
  readonly state: string
}

const FREE: Way = { outcome: 'started', stopping: [], rest: [] }

/** So many runs are cancelled in the transaction of the fire. */
const MOST_AT_ONCE = 20

async function cancelAll(t: Transaction, watchers: Watchers, others: readonly Other[]): Promise<Way> {
  const waiting = others.filter(({ status }) => status === 'queued')
  const stopping = others.filter(({ status }) => status !== 'queued').map(({ id }) => id)
  if (waiting.length > MOST_AT_ONCE) {
    // Those first that are held: the end of one must not let the next one go.
    const heldFirst = waiting.toSorted((a, b) => Number(b.state === 'held') - Number(a.state === 'held'))
    return { outcome: 'held', stopping, rest: heldFirst.map(({ id }) => id) }
  }
  // All of them before the first ends: the end of one must not let another go.
  for (const { id } of waiting) await t.query('DELETE FROM queue WHERE run = ?', id)
  for (const { id } of waiting) await endRun(t, watchers, id, CANCELLED)
  return { ...FREE, outcome: stopping.length === 0 ? 'started' : 'held', stopping }
}
