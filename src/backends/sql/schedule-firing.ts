import { now } from '../../model/json.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { FireOrder, FireResult, PlannedRun, ScheduleStore } from '../flow-ports.ts'
import type { Database, Transaction } from './database.ts'
import { announce } from './outbox.ts'
import { enqueue } from './queue-order.ts'
import { insertRun } from './run-admission.ts'
import { cancelRuns } from './run-cancelling.ts'
import { endRun, failure } from './run-ending.ts'
import { type Way, makeWay } from './schedule-overlap.ts'
import type { Watchers } from './watchers.ts'

/** How schedules fire: what became of an instant is written down together with its run, and with what comes next. */
export function createScheduleFiring(db: Database, watchers: Watchers): Pick<ScheduleStore, 'fire'> {
  return {
    async fire(orders) {
      const rest: string[] = []
      const fired = await db.tx(async (t) => {
        const queues = new Set<QueueName>()
        const results: (FireResult | Error)[] = []
        for (const order of orders) {
          try {
            const { result, others } = await t.savepoint(() => fireOne(t, watchers, order, queues))
            results.push(result)
            rest.push(...others)
          } catch (error) {
            results.push(error instanceof Error ? error : new Error(String(error)))
          }
        }
        for (const queue of queues) watchers.queueChanged(t, queue)
        return results
      })
      await cancelRuns(db, watchers, rest)
      return fired
    },
  }
}

async function fireOne(t: Transaction, watchers: Watchers, order: FireOrder, queues: Set<QueueName>): Promise<Fired> {
  const { tenant, stage, revision, expected, next, missed, begin } = order
  const [schedule] = await t.query<{ skill: string }>(
    `UPDATE schedules SET instant = ?, due = ? WHERE stage = ? AND tenant = ? AND revision = ? AND instant = ? AND due = ?
     RETURNING skill`,
    next?.instant ?? null,
    next?.due ?? null,
    stage,
    tenant,
    revision,
    expected.instant,
    expected.due,
  )
  if (schedule === undefined) return { result: STALE, others: [] }
  const place: Place = { tenant, skill: schedule.skill, stage }
  if (missed !== null) await tellMissed(t, watchers, place, missed)
  if (begin === null) return { result: { ...STALE, outcome: 'missed' }, others: [] }
  // Before anything else happens for it: the key is what keeps an instant from being fired twice, also after its schedule was put anew.
  const scheduledFor = begin.run.scheduled_for!
  if (!(await writeFire(t, place, scheduledFor, { outcome: 'started', run: begin.run.id })))
    return { result: STALE, others: [] }
  // One that fails at once is never under way with another.
  const way: Way =
    begin.refusal === null
      ? await makeWay(t, watchers, stage, order.overlap)
      : { outcome: 'started', stopping: [], rest: [] }
  if (way.outcome === 'skipped') {
    await rewriteFire(t, stage, scheduledFor, 'skipped', null)
    await tell(t, watchers, place, 'schedule.skipped', { scheduled_for: scheduledFor })
    return { result: { ...STALE, outcome: 'skipped' }, others: [] }
  }
  if (way.outcome === 'held') await rewriteFire(t, stage, scheduledFor, 'held', begin.run.id)
  if (await beginRun(t, watchers, begin, way.outcome === 'held')) queues.add(begin.queue)
  return { result: { outcome: way.outcome, run: begin.run.id, stopping: way.stopping }, others: way.rest }
}

/** With the runs that are to be cancelled for it, once it is durable. */
interface Fired {
  readonly result: FireResult
  readonly others: readonly string[]
}

type Place = Pick<FireOrder, 'tenant' | 'stage'> & { readonly skill: string }

const STALE: FireResult = { outcome: 'stale', run: null, stopping: [] }

/** @returns Whether it waits in its queue. */
async function beginRun(t: Transaction, watchers: Watchers, begin: PlannedRun, held: boolean): Promise<boolean> {
  const { run, queue, refusal } = begin
  await insertRun(t, watchers, run)
  if (refusal === null) {
    await enqueue(t, run, queue, { held })
    return true
  }
  const { type, message } = refusal.error
  await endRun(t, watchers, run.id, failure(refusal.reason, type, message))
  return false
}

async function tellMissed(
  t: Transaction,
  watchers: Watchers,
  place: Place,
  { first, last }: NonNullable<FireOrder['missed']>,
): Promise<void> {
  const until = last > first ? now(last) : null
  // The first of them may have fired, before the clock was set back and the schedule put anew: then it was told of.
  if (!(await writeFire(t, place, now(first), { outcome: 'missed', run: null, missed_until: until }))) return
  await tell(t, watchers, place, 'schedule.missed', { scheduled_for: now(first), missed_until: until })
}

/** False: this instant was fired, or told of as missed, already. */
async function writeFire(
  t: Transaction,
  { tenant, stage }: Place,
  scheduledFor: string,
  fire: { readonly outcome: string; readonly run: string | null; readonly missed_until?: string | null },
): Promise<boolean> {
  const [written] = await t.query(
    `INSERT INTO fires (stage, scheduled_for, tenant, outcome, run, missed_until, fired_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (stage, scheduled_for) DO NOTHING RETURNING stage`,
    stage,
    scheduledFor,
    tenant,
    fire.outcome,
    fire.run,
    fire.missed_until ?? null,
    now(),
  )
  return written !== undefined
}

async function rewriteFire(
  t: Transaction,
  stage: string,
  scheduledFor: string,
  outcome: string,
  run: string | null,
): Promise<void> {
  await t.query(
    'UPDATE fires SET outcome = ?, run = ? WHERE stage = ? AND scheduled_for = ?',
    outcome,
    run,
    stage,
    scheduledFor,
  )
}

/** Both to who follows the tenant and to the stage's webhook. */
async function tell(
  t: Transaction,
  watchers: Watchers,
  place: Place,
  type: 'schedule.skipped' | 'schedule.missed',
  data: object,
): Promise<void> {
  await t.query(
    'INSERT INTO events (tenant, skill, stage, type, at, data) VALUES (?, ?, ?, ?, ?, ?)',
    place.tenant,
    place.skill,
    place.stage,
    type,
    now(),
    JSON.stringify(data),
  )
  watchers.tenantChanged(t, place.tenant)
  await announce(t, watchers, { ...place, run: null }, type, () => ({
    skill: place.skill,
    stage: place.stage,
    ...data,
  }))
}
