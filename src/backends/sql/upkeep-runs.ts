import { firstId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import { TERMINAL } from '../../model/runs.ts'
import type { SweepStep } from '../upkeep-ports.ts'
import type { Database, Transaction } from './database.ts'
import { literal } from './page.ts'
import { STEP, gone, removeInTurn } from './upkeep-step.ts'

type Sweep = (tenant: string, before: number, from: string | null) => Promise<SweepStep>

/** Fires younger than this stay in any case, in milliseconds: they are what keeps an instant from being fired twice. */
const FIRES_STAY_MS = 2 * 86_400_000

/** What comes of runs, and tells of them. Found along ids, which sort by time. */
export function createRunSweeps(
  db: Database,
): Record<'runs' | 'deliveries' | 'fires' | 'activity', Sweep> & { idempotency(at: number): Promise<SweepStep> } {
  return {
    /** By status, along an index that has only what is over: a long line of runs that wait is never looked at. */
    async runs(tenant, before, from) {
      const [status, after] = from === null ? [TERMINAL[0]!, ''] : (from.split(' ') as [string, string])
      const rows = await db.query<{ id: string }>(
        `SELECT id FROM runs WHERE tenant = ? AND status = ? AND finished_at IS NOT NULL AND id > ? AND id < ?
         ORDER BY id LIMIT ${literal(STEP)}`,
        tenant,
        status,
        after,
        firstId('run', before),
      )
      const step = await removeInTurn(
        db,
        rows,
        ({ id }) => `${status} ${id}`,
        (t, { id }) => removeRun(t, id, now(before)),
      )
      const following = TERMINAL[TERMINAL.findIndex((one) => one === status) + 1]
      return step.next !== null || following === undefined ? step : { ...step, next: `${following} ` }
    },

    async deliveries(tenant, before, from) {
      const rows = await db.query<{ id: string }>(
        `SELECT id FROM deliveries WHERE tenant = ? AND id > ? AND id < ? ORDER BY id LIMIT ${literal(STEP)}`,
        tenant,
        from ?? '',
        firstId('delivery', before),
      )
      return removeInTurn(
        db,
        rows,
        ({ id }) => id,
        (t, { id }) =>
          gone(
            t,
            `DELETE FROM deliveries WHERE id = ? AND status <> 'pending' AND finished_at < ? RETURNING id`,
            id,
            now(before),
          ),
      )
    },

    /** The oldest are removed each time, so there is no place to go on from. */
    async fires(tenant, before) {
      const rows = await db.query<{ stage: string; scheduled_for: string; fired_at: string }>(
        `SELECT stage, scheduled_for, fired_at FROM fires WHERE tenant = ? AND fired_at < ? ORDER BY fired_at LIMIT ${literal(STEP)}`,
        tenant,
        now(Math.min(before, Date.now() - FIRES_STAY_MS)),
      )
      return removeInTurn(
        db,
        rows,
        ({ fired_at }) => fired_at,
        (t, { stage, scheduled_for }) =>
          gone(t, 'DELETE FROM fires WHERE stage = ? AND scheduled_for = ? RETURNING stage', stage, scheduled_for),
      )
    },

    /** That of runs goes with them. */
    async activity(tenant, before) {
      const rows = await db.query<{ n: number; at: string }>(
        `SELECT n, at FROM events WHERE tenant = ? AND run IS NULL ORDER BY n LIMIT ${literal(STEP)}`,
        tenant,
      )
      // They lie in the order of their time: after the first that stays, all stay.
      const kept = rows.findIndex(({ at }) => at >= now(before))
      const step = await removeInTurn(
        db,
        kept < 0 ? rows : rows.slice(0, kept),
        ({ n }) => String(n),
        async (t, { n }) => n < (await newestEvent(t)).n && gone(t, 'DELETE FROM events WHERE n = ? RETURNING n', n),
      )
      // The newest of all stays, and must not be found for ever.
      return step.removed === 0 ? { removed: 0, next: null } : step
    },

    async idempotency(at) {
      const rows = await db.query<{ tenant: string; key: string }>(
        `SELECT tenant, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ${literal(STEP)}`,
        now(at),
      )
      return removeInTurn(
        db,
        rows,
        ({ key }) => key,
        (t, { tenant, key }) =>
          gone(
            t,
            'DELETE FROM idempotency WHERE tenant = ? AND key = ? AND expires_at <= ? RETURNING key',
            tenant,
            key,
            now(at),
          ),
      )
    },
  }
}

/**
 * With all that is its own. Its idempotency key is forgotten long before: a tenant keeps what is over for a day at least, and keys live
 * for a day from the beginning of the run.
 */
async function removeRun(t: Transaction, id: string, before: string): Promise<boolean> {
  if ((await newestEvent(t)).run === id) return false
  const removed = await gone(
    t,
    `DELETE FROM runs WHERE id = ? AND finished_at < ? AND NOT EXISTS
       (SELECT 1 FROM deliveries WHERE deliveries.run = runs.id AND deliveries.status = 'pending') RETURNING id`,
    id,
    before,
  )
  if (!removed) return false
  await t.query('DELETE FROM run_inputs WHERE run = ?', id)
  await t.query('DELETE FROM run_outputs WHERE run = ?', id)
  await t.query('DELETE FROM events WHERE run = ?', id)
  return true
}

/** It stays: its number would be given again, and whoever has seen it would miss what comes next. */
async function newestEvent(t: Transaction): Promise<{ n: number; run: string | null }> {
  const [newest] = await t.query<{ n: number; run: string | null }>('SELECT n, run FROM events ORDER BY n DESC LIMIT 1')
  return newest ?? { n: 0, run: null }
}
