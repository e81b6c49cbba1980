import type { QueueName } from '../../model/sizes.ts'
import type { Database, Transaction } from './database.ts'
import { PAUSED, comeBack } from './queue-order.ts'
import type { Watchers } from './watchers.ts'

/** So many runs of a long line change in one transaction: nobody waits long for the next one. */
const STEP = 500

export const QUEUES: readonly QueueName[] = ['default', 'long']

/**
 * Makes the line of a tenant, or of one of its stages, what its marks say: of what is paused nothing waits to be taken. Each step is a
 * transaction of its own that looks at the marks again, so that it does not matter how many do this at once, or what they want.
 */
export async function followPauses(
  db: Database,
  watchers: Watchers,
  tenant: string,
  stage: string | null,
): Promise<void> {
  for (const queue of QUEUES) await steps((from) => db.tx((t) => hold(t, tenant, stage, queue, from)))
  await steps((from) => db.tx((t) => letGo(t, watchers, tenant, stage, from)))
}

/** Does what was left undone by a process that was killed. */
export async function followAllPauses(db: Database, watchers: Watchers): Promise<void> {
  const places = await db.query<{ tenant: string; stage: string | null }>(
    `SELECT id AS tenant, NULL AS stage FROM tenants WHERE paused = 1 UNION ALL SELECT tenant, id FROM stages WHERE paused = 1
     UNION ALL SELECT DISTINCT tenant, NULL FROM queue WHERE state = 'paused'`,
  )
  for (const { tenant, stage } of places) await followPauses(db, watchers, tenant, stage)
}

/** @param step From where on; answers where the next one goes on, null at the end. */
async function steps(step: (from: number) => Promise<number | null>): Promise<void> {
  let from: number | null = Number.MIN_SAFE_INTEGER
  while (from !== null) from = await step(from)
}

/** What waits from this turn on, waits for more. What runs goes on. */
async function hold(
  t: Transaction,
  tenant: string,
  stage: string | null,
  queue: QueueName,
  from: number,
): Promise<number | null> {
  const line = `tenant = ? AND queue = ? AND state = 'waiting' AND turn >= ?`
  const [last] = await t.query<{ turn: number }>(
    `SELECT turn FROM queue WHERE ${line} ORDER BY turn LIMIT 1 OFFSET ${STEP - 1}`,
    tenant,
    queue,
    from,
  )
  await t.query(
    `UPDATE queue SET state = 'paused' WHERE ${line} AND turn <= ? AND ${PAUSED}${only(stage)}`,
    tenant,
    queue,
    from,
    last?.turn ?? Number.MAX_SAFE_INTEGER,
    ...given(stage),
  )
  return last === undefined ? null : last.turn + 1
}

/** What was paused, from this place on, comes back, but for what another pause holds. */
async function letGo(
  t: Transaction,
  watchers: Watchers,
  tenant: string,
  stage: string | null,
  from: number,
): Promise<number | null> {
  const line = `tenant = ? AND state = 'paused' AND place >= ?`
  const [last] = await t.query<{ place: number }>(
    `SELECT place FROM queue WHERE ${line} ORDER BY place LIMIT 1 OFFSET ${STEP - 1}`,
    tenant,
    from,
  )
  const queues = await comeBack(
    t,
    `${line} AND place <= ? AND NOT ${PAUSED}${only(stage)}`,
    tenant,
    from,
    last?.place ?? Number.MAX_SAFE_INTEGER,
    ...given(stage),
  )
  for (const queue of queues) watchers.queueChanged(t, queue)
  return last === undefined ? null : last.place + 1
}

const only = (stage: string | null): string => (stage === null ? '' : ' AND queue.stage = ?')
const given = (stage: string | null): string[] => (stage === null ? [] : [stage])
