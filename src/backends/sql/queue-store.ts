import type { AuditNote } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { QueueState } from '../../model/queues.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { QueueStore } from '../flow-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { QUEUES, followPauses } from './queue-pausing.ts'
import type { Watchers } from './watchers.ts'

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

    async setPaused(tenant, stage, paused, note) {
      await db.tx(async (t) => {
        if (!(await mark(t, tenant, stage, paused))) return
        const what = stage === null ? { tenant } : { stage }
        await audit(t, note, what, paused)
      })
      // Also where it was so already: who did it may have failed half-way.
      await followPauses(db, watchers, tenant, stage)
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

async function audit(t: Transaction, note: AuditNote, what: object, paused: boolean): Promise<void> {
  await writeAudit(t, note, { before: { ...what, paused: !paused }, after: { ...what, paused } })
}
