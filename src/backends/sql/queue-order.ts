import type { Run } from '../../model/runs.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { Transaction } from './database.ts'
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
  const [line] = await t.query<{ own: number | null; present: number | null; paused: number }>(
    `SELECT (SELECT max(turn) FROM queue WHERE tenant = ? AND queue = ? AND state = 'waiting') AS own,
       (SELECT min(turn) FROM queue WHERE queue = ? AND state = 'waiting') AS present, CASE WHEN ${PAUSED} THEN 1 ELSE 0 END AS paused`,
    run.tenant,
    queue,
    queue,
    run.tenant,
    run.stage,
  )
  const { own, present, paused } = line!
  await t.query(
    `INSERT INTO queue (queue, run, tenant, stage, state, turn, enqueued_at, visible_at, token, trace)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    queue,
    run.id,
    run.tenant,
    run.stage,
    options.held === true ? 'held' : paused === 1 ? 'paused' : 'waiting',
    Math.max(own === null ? 0 : own + 1, present ?? 0),
    at,
    at,
    options.trace ?? null,
  )
}

/** Whether the tenant or the stage is paused: takes the ids of both. */
export const PAUSED = `EXISTS (SELECT 1 FROM tenants WHERE id = ? AND paused = 1) OR EXISTS (SELECT 1 FROM stages WHERE id = ? AND paused = 1)`

/** The run of a schedule that waited for this one's end may begin, if no other is still under way. */
export async function admitHeld(
  t: Transaction,
  watchers: Watchers,
  over: Pick<Run, 'tenant' | 'stage'>,
): Promise<void> {
  const [next] = await t.query<{ queue: QueueName }>(
    `UPDATE queue SET state = CASE WHEN ${PAUSED} THEN 'paused' ELSE 'waiting' END WHERE place =
       (SELECT min(place) FROM queue WHERE tenant = ? AND stage = ? AND state IN ('held', 'paused') AND state = 'held')
     AND NOT EXISTS (SELECT 1 FROM runs JOIN queue AS others ON others.run = runs.id
       WHERE runs.stage = ? AND scheduled_for IS NOT NULL AND finished_at IS NULL AND others.state <> 'held') RETURNING queue`,
    over.tenant,
    over.stage,
    over.tenant,
    over.stage,
    over.stage,
  )
  if (next !== undefined) watchers.queueChanged(t, next.queue)
}
