import type { Run } from '../../model/runs.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { Transaction, Value } from './database.ts'
import type { Watchers } from './watchers.ts'

/**
 * Puts a run into its queue. Its turn is the one after the last of its tenant, or the present one for a tenant that has none waiting: so
 * tenants take turns, however many runs one of them has in the line (start-time fair queueing, with a cost of one for each run).
 * @param options.held It waits until the other runs of its schedule are over.
 */
export async function enqueue(
  t: Transaction,
  run: Pick<Run, 'id' | 'tenant' | 'stage'>,
  queue: QueueName,
  options: { readonly held?: boolean; readonly trace?: string | undefined } = {},
): Promise<void> {
  const at = Date.now()
  // One statement: every admission pays for it.
  await t.query(
    `INSERT INTO queue (queue, run, tenant, stage, state, turn, enqueued_at, visible_at, token, trace)
     VALUES (?, ?, ?, ?, CASE WHEN ? = 1 THEN 'held' WHEN ${pausedAt('?', '?')} THEN 'paused' ELSE 'waiting' END,
       ${nextTurn('?', '?', '?')}, ?, ?, 0, ?)`,
    queue,
    run.id,
    run.tenant,
    run.stage,
    Number(options.held === true),
    run.tenant,
    run.stage,
    run.tenant,
    queue,
    queue,
    at,
    at,
    options.trace ?? null,
  )
}

/** Puts a run that begins at once into its queue, under a lease: nobody is before it. */
export async function enqueueLeased(
  t: Transaction,
  run: Pick<Run, 'id' | 'tenant' | 'stage'>,
  queue: QueueName,
  lease: { readonly at: number; readonly leaseMs: number; readonly token: number; readonly trace: string | null },
): Promise<void> {
  const { at, leaseMs, token, trace } = lease
  await t.query(
    `INSERT INTO queue (queue, run, tenant, stage, state, turn, enqueued_at, visible_at, token, trace)
     VALUES (?, ?, ?, ?, 'leased', 0, ?, ?, ?, ?)`,
    queue,
    run.id,
    run.tenant,
    run.stage,
    at,
    at + leaseMs,
    token,
    trace,
  )
}

/** Whether a run of this tenant and stage would have to wait in this queue: for others, or because its place is paused. */
export async function hasToWait(
  t: Transaction,
  { tenant, stage }: Pick<Run, 'tenant' | 'stage'>,
  queue: QueueName,
  at: number,
): Promise<boolean> {
  const [paused] = await t.recall(`SELECT 1 FROM (SELECT 1) AS always WHERE ${pausedAt('?', '?')}`, tenant, stage)
  if (paused !== undefined) return true
  const [others] = await t.query(
    `SELECT 1 FROM (SELECT 1) AS always WHERE EXISTS (SELECT 1 FROM queue WHERE queue = ? AND state = 'waiting')
     OR EXISTS (SELECT 1 FROM queue WHERE ${DUE})`,
    queue,
    queue,
    at,
  )
  return others !== undefined
}

/** Whether this tenant or this stage is paused: given as placeholders or columns. */
const pausedAt = (tenant: string, stage: string): string =>
  `(EXISTS (SELECT 1 FROM tenants WHERE id = ${tenant} AND paused = 1) OR EXISTS (SELECT 1 FROM stages WHERE id = ${stage} AND paused = 1))`

/** Whether what the queue's row stands for has to wait for its place to be resumed. What is to be cancelled does not: who would take it ends it. */
export const PAUSED = `(${pausedAt('queue.tenant', 'queue.stage')}
  AND NOT EXISTS (SELECT 1 FROM runs WHERE id = queue.run AND cancel_requested = 1))`

/** The turn of what a tenant puts into a queue now. Takes the tenant, and the queue twice. */
const nextTurn = (tenant: string, ...queue: [string, string]): string =>
  `coalesce((SELECT max(own.turn) + 1 FROM queue AS own WHERE own.tenant = ${tenant} AND own.queue = ${queue[0]} AND own.state = 'waiting'),
    ${presentTurn(queue[1])}, 0)`

const presentTurn = (queue: string): string =>
  `(SELECT min(line.turn) FROM queue AS line WHERE line.queue = ${queue} AND line.state = 'waiting')`

/**
 * What was invisible comes back into the line, or waits for more if its place is paused. What was leased, and is so no more, keeps its turn,
 * which was one of the first; where the line began anew since, it has the present one. All else comes behind the runs of its tenant, as if it
 * were new and in the order in which it was: others had their turns meanwhile, and shall not stand behind all of it.
 * @param where Which rows. @returns The queues that have more to give now.
 */
export async function comeBack(t: Transaction, where: string, ...values: Value[]): Promise<Set<QueueName>> {
  const rows = await t.query<{ queue: QueueName; state: string }>(
    `UPDATE queue SET state = back.state, turn = back.turn FROM (
       SELECT place, CASE WHEN ${PAUSED} THEN 'paused' ELSE 'waiting' END AS state,
         CASE WHEN state <> 'leased'
           THEN ${nextTurn('queue.tenant', 'queue.queue', 'queue.queue')} + row_number() OVER (PARTITION BY tenant, queue, state ORDER BY place) - 1
           WHEN turn > ${presentTurn('queue.queue')} THEN ${presentTurn('queue.queue')} ELSE turn END AS turn
       FROM queue WHERE ${where}) AS back
     WHERE queue.place = back.place RETURNING queue.queue, queue.state`,
    ...values,
  )
  return new Set(rows.filter(({ state }) => state === 'waiting').map(({ queue }) => queue))
}

/** What is invisible and need not be any more. Takes the queue and the instant. */
const DUE = `queue = ? AND state IN ('leased', 'later') AND visible_at <= ?`

/** So many of those that are due come back with one taking, at the most: nobody waits long for the transaction. */
const MOST_DUE = 256

/** What was invisible until now may be taken: a lease that ran out, a retry whose time has come. */
export async function admitDue(t: Transaction, queue: QueueName, at: number): Promise<void> {
  // Nearly always there is nothing, which is cheaper to read than to write.
  const [some] = await t.query(`SELECT place FROM queue WHERE ${DUE} LIMIT 1`, queue, at)
  if (some === undefined) return
  const first = `SELECT place FROM queue WHERE ${DUE} ORDER BY visible_at LIMIT ${MOST_DUE}${t.dialect.skipLocked}`
  await comeBack(t, `place IN (${first})`, queue, at)
}

/** The run of a schedule that waited for this one's end may begin, if no other that came before it is still under way. */
export async function admitHeld(
  t: Transaction,
  watchers: Watchers,
  over: Pick<Run, 'tenant' | 'stage'>,
): Promise<void> {
  const queues = await comeBack(
    t,
    `place = (SELECT min(held.place) FROM queue AS held WHERE held.tenant = ? AND held.stage = ? AND held.state = 'held')
     AND NOT EXISTS (SELECT 1 FROM runs JOIN queue AS others ON others.run = runs.id
       WHERE runs.stage = ? AND scheduled_for IS NOT NULL AND finished_at IS NULL AND others.state <> 'held'
         AND others.place < queue.place)`,
    over.tenant,
    over.stage,
    over.stage,
  )
  for (const queue of queues) watchers.queueChanged(t, queue)
}
