import type { AuditNote } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { QueueState } from '../../model/queues.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { QueueStore } from '../flow-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import type { Watchers } from './watchers.ts'

const QUEUES: readonly QueueName[] = ['default', 'long']

export function createQueueStore(db: Database, watchers: Watchers): QueueStore {
  return {
    async queues(tenant) {
      const [owner] = await db.query<{ paused: number }>('SELECT paused FROM tenants WHERE id = ?', tenant)
      const stages = await db.query<{ id: string }>(
        'SELECT id FROM stages WHERE tenant = ? AND paused = 1 ORDER BY id',
        tenant,
      )
      const rows = await db.query<Counted>(
        `SELECT queue, state, count(*) AS runs, min(enqueued_at) AS oldest FROM queue WHERE tenant = ? GROUP BY queue, state`,
        tenant,
      )
      return {
        paused: owner?.paused === 1,
        paused_stages: stages.map(({ id }) => id),
        queues: QUEUES.map((queue) =>
          stateOf(
            queue,
            rows.filter((row) => row.queue === queue),
          ),
        ),
      }
    },

    setPaused(tenant, stage, paused, note) {
      return db.tx(async (t) => {
        if (!(await mark(t, tenant, stage, paused))) return
        if (paused) await hold(t, tenant, stage)
        else for (const queue of await letGo(t, tenant, stage)) watchers.queueChanged(t, queue)
        const what = stage === null ? { tenant } : { stage }
        await audit(t, note, what, paused)
      })
    },
  }
}

interface Counted {
  readonly queue: QueueName
  readonly state: 'waiting' | 'leased' | 'later' | 'held' | 'paused'
  readonly runs: number
  readonly oldest: number
}

function stateOf(queue: QueueName, rows: readonly Counted[]): QueueState {
  const count = (...states: Counted['state'][]): number =>
    rows.filter(({ state }) => states.includes(state)).reduce((sum, { runs }) => sum + runs, 0)
  const oldest = rows.find(({ state }) => state === 'waiting')?.oldest
  return {
    queue,
    waiting: count('waiting'),
    running: count('leased'),
    later: count('later', 'held'),
    paused: count('paused'),
    oldest_at: oldest === undefined ? null : now(oldest),
  }
}

/** False: it is so already, or there is no such place. */
async function mark(t: Transaction, tenant: string, stage: string | null, paused: boolean): Promise<boolean> {
  const [table, values] = stage === null ? ['tenants', [tenant]] : ['stages', [stage, tenant]]
  const rows = await t.query(
    `UPDATE ${table} SET paused = ? WHERE id = ?${stage === null ? '' : ' AND tenant = ?'} AND paused <> ? RETURNING id`,
    Number(paused),
    ...values,
    Number(paused),
  )
  return rows.length > 0
}

/** What runs goes on; what waits, waits for more. */
async function hold(t: Transaction, tenant: string, stage: string | null): Promise<void> {
  const only = stage === null ? '' : ' AND stage = ?'
  await t.query(
    `UPDATE queue SET state = 'paused' WHERE tenant = ? AND queue IN ('default', 'long') AND state = 'waiting'${only}`,
    tenant,
    ...(stage === null ? [] : [stage]),
  )
}

/**
 * What waited comes back into the line as if it came now, in the order that it had: others have had their turns meanwhile, and do not stand
 * behind all of it. What another pause holds stays where it is.
 */
async function letGo(t: Transaction, tenant: string, stage: string | null): Promise<QueueName[]> {
  const changed: QueueName[] = []
  for (const queue of QUEUES) {
    const rows = await t.query(
      `WITH line AS (
         SELECT coalesce((SELECT max(turn) + 1 FROM queue WHERE tenant = ? AND queue = ? AND state = 'waiting'),
           (SELECT min(turn) FROM queue WHERE queue = ? AND state = 'waiting'), 0) AS start
       ), back AS (
         SELECT place, row_number() OVER (ORDER BY turn, place) - 1 AS rank FROM queue
         WHERE tenant = ? AND queue = ? AND state = 'paused'${stage === null ? '' : ' AND stage = ?'}
           AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = queue.tenant AND paused = 1)
           AND NOT EXISTS (SELECT 1 FROM stages WHERE id = queue.stage AND paused = 1)
       )
       UPDATE queue SET state = 'waiting', turn = line.start + back.rank FROM back, line WHERE queue.place = back.place
       RETURNING queue.place`,
      tenant,
      queue,
      queue,
      tenant,
      queue,
      ...(stage === null ? [] : [stage]),
    )
    if (rows.length > 0) changed.push(queue)
  }
  return changed
}

async function audit(t: Transaction, note: AuditNote, what: object, paused: boolean): Promise<void> {
  await writeAudit(t, note, { before: { ...what, paused: !paused }, after: { ...what, paused } })
}
