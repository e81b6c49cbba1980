import { now } from '../../model/json.ts'
import { LIMITS, type QueueName } from '../../model/sizes.ts'
import type { Begin, Claim } from '../run-ports.ts'
import type { Transaction } from './database.ts'
import { literal } from './page.ts'
import { admitDue } from './queue-order.ts'
import { admitToQuota } from './quota-admission.ts'
import { type RunRow, toRun } from './rows.ts'
import { endAbandoned, endThrottled } from './run-ending.ts'
import { writeEvents } from './run-events.ts'
import type { Watchers } from './watchers.ts'

/** A queue row with its run and the run's input. */
interface Lease extends RunRow {
  readonly place: number
  readonly token: number
  readonly enqueued_at: number
  readonly body: string
  readonly trace: string | null
}

/** So many runs that cannot be executed are ended in one go, before others get their turn. */
const MOST_ENDED = 64

/** What whoever takes runs wants of them. */
export interface Taking {
  readonly leaseMs: number
  readonly begin?: Begin | undefined
}

/** The next runs of a queue, under leases and started, within a transaction of the caller. */
export async function takeRuns(
  t: Transaction,
  watchers: Watchers,
  queue: QueueName,
  count: number,
  { leaseMs, begin: tell }: Taking,
): Promise<Claim[]> {
  const at = Date.now()
  const claims: Claim[] = []
  let ended = 0
  await admitDue(t, queue, at)
  // What ends here makes room for the next: a tenant over its cap, with a long line of runs, holds up nobody else.
  while (claims.length < count && ended < MOST_ENDED) {
    const asked = count - claims.length
    const leases = await lease(t, queue, asked)
    const begun = new Map<Lease, Claim>()
    // Their quotas in one order everywhere: two takers on PostgreSQL, each with runs of the same tenants, do not wait for each other.
    for (const row of leases.toSorted(byTenant)) {
      const claim = await begin(t, watchers, row, { at, leaseMs })
      if (claim === null) ended++
      else begun.set(row, claim)
    }
    for (const row of leases) if (begun.has(row)) claims.push(begun.get(row)!)
    if (leases.length < asked) break
  }
  if (tell !== undefined) t.onceWritten(() => tell(claims))
  return claims
}

const byTenant = (a: Lease, b: Lease): number => (a.tenant < b.tenant ? -1 : Number(a.tenant > b.tenant))

function lease(t: Transaction, queue: QueueName, count: number): Promise<Lease[]> {
  return t.query<Lease>(
    `SELECT place, token + 1 AS token, enqueued_at, trace, body, runs.* FROM queue JOIN runs ON runs.id = queue.run
     JOIN run_inputs ON run_inputs.run = queue.run WHERE queue = ? AND state = 'waiting'
     ORDER BY turn, place LIMIT ${literal(count)}${t.dialect.skipLocked}`,
    queue,
  )
}

/** Null: there was nothing to execute any more, the run is over. */
async function begin(
  t: Transaction,
  watchers: Watchers,
  run: Lease,
  { at, leaseMs }: { readonly at: number; readonly leaseMs: number },
): Promise<Claim | null> {
  if (run.cancel_requested === 1 || run.attempt - run.retries >= LIMITS.attempts) {
    await endAbandoned(t, watchers, run)
    return null
  }
  const { id, tenant, skill, place, token, trace } = run
  const refused = await admitToQuota(t, { id, tenant, skill, counted: run.counted === 1 }, at)
  if (refused !== null) {
    await endThrottled(t, watchers, id, refused)
    return null
  }
  await t.query(
    `UPDATE queue SET state = 'leased', visible_at = ?, token = ? WHERE place = ?`,
    at + leaseMs,
    token,
    place,
  )
  const begun = {
    status: 'running',
    attempt: run.attempt + 1,
    started_at: run.started_at ?? now(at),
    queue_ms: run.queue_ms ?? Math.max(0, at - run.enqueued_at),
  } as const
  const seq = run.seq + 1
  await t.query(
    `UPDATE runs SET status = 'running', attempt = ?, seq = ?, started_at = ?, queue_ms = ?, counted = 1 WHERE id = ?`,
    begun.attempt,
    seq,
    begun.started_at,
    begun.queue_ms,
    id,
  )
  await writeEvents(t, watchers, run, seq, [{ type: 'status', data: { status: 'running', attempt: begun.attempt } }])
  // Only runs with a deployment are ever queued.
  const claimed = Object.assign(toRun(run, { input: run.body, output: null }), begun) as Claim['run']
  return { run: claimed, token, retries: run.retries, trace }
}
