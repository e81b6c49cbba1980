import type { AuditNote } from '../../model/audit.ts'
import type { Run } from '../../model/runs.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { type RunRow, toRun } from './rows.ts'
import { CANCELLED, endRun } from './run-ending.ts'
import type { Watchers } from './watchers.ts'

/** How runs are stopped: one by its caller, or all of what is deleted. */
export function createRunCancelling(db: Database, watchers: Watchers): { cancel: Cancel } {
  return {
    cancel(tenant, id, note) {
      return db.tx(async (t) => {
        const [known] = await t.query('SELECT id FROM runs WHERE id = ? AND tenant = ?', id, tenant)
        if (known === undefined) return
        const stopped = await stop(t, watchers, id)
        if (stopped === null) return
        await writeAudit(t, note, { before: standing(stopped.before), after: standing(stopped.after) })
      })
    },
  }
}

type Cancel = (tenant: string, id: string, note: AuditNote) => Promise<void>

/** What cancelling changes of a run. */
const standing = ({ id, status, cancel_requested }: Run): object => ({ id, status, cancel_requested })

/** One that nobody executes ends at once, another is asked to. Null: there was nothing to do. */
async function stop(t: Transaction, watchers: Watchers, id: string): Promise<{ before: Run; after: Run } | null> {
  const [row] = await t.query<{ state: string }>('UPDATE queue SET token = token WHERE run = ? RETURNING state', id)
  const [before] = await t.query<RunRow>('SELECT * FROM runs WHERE id = ? AND finished_at IS NULL', id)
  if (before === undefined) return null
  // Without a lease it waits for its turn, or for its stage to be resumed after its worker was lost.
  const leased = row?.state === 'leased'
  // One that was asked to stop is not asked again.
  if (leased && before.cancel_requested === 1) return null
  const [asked] = await t.query<RunRow>('UPDATE runs SET cancel_requested = 1 WHERE id = ? RETURNING *', id)
  if (leased) return { before: toRun(before), after: toRun(asked!) }
  await t.query('DELETE FROM queue WHERE run = ?', id)
  return { before: toRun(before), after: await endRun(t, watchers, id, CANCELLED) }
}

/**
 * The runs that are not over of a stage or skill that is deleted: `cancelRuns` is to follow, once that is durable.
 * @returns Those first that wait for others of their schedule: the end of one must not let the next one go.
 */
export async function liveRunsOf(
  t: Transaction,
  owner: { readonly tenant: string; readonly column: 'skill' | 'stage'; readonly id: string },
): Promise<string[]> {
  const { tenant, column, id } = owner
  const rows = await t.query<{ run: string }>(
    `SELECT run FROM queue JOIN runs ON runs.id = queue.run WHERE queue.tenant = ? AND runs.${column} = ? ${HELD_FIRST}`,
    tenant,
    id,
  )
  return rows.map(({ run }) => run)
}

const HELD_FIRST = `ORDER BY CASE WHEN state = 'held' THEN 0 ELSE 1 END, place`

/** So many runs are ended in one transaction, so that others get their turn. */
const STEP = 20

/** Cancels them, however many there are. What a crash leaves is for `cancelStranded`. */
export async function cancelRuns(db: Database, watchers: Watchers, runs: readonly string[]): Promise<void> {
  for (let i = 0; i < runs.length; i += STEP) {
    await db.tx(async (t) => {
      for (const id of runs.slice(i, i + STEP)) await stop(t, watchers, id)
    })
  }
}

/** After a restart: cancels what waits on a stage that is not there any more. */
export async function cancelStranded(db: Database, watchers: Watchers): Promise<void> {
  const rows = await db.query<{ run: string }>(
    `SELECT run FROM queue WHERE NOT EXISTS (SELECT 1 FROM stages WHERE id = queue.stage) ${HELD_FIRST}`,
  )
  await cancelRuns(
    db,
    watchers,
    rows.map(({ run }) => run),
  )
}
