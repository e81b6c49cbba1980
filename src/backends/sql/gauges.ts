import type { EngineGauges } from '../observer.ts'
import type { Database } from './database.ts'

/** Counts along the partial indexes of what is not over: as long as that is, never as long as what was. */
export async function readGauges(db: Database): Promise<EngineGauges> {
  const queues = await db.query<EngineGauges['queues'][number]>(
    'SELECT queue, state, count(*) AS runs, min(enqueued_at) AS oldest FROM queue GROUP BY queue, state',
  )
  const [deliveries] = await db.query<{ pending: number; due: number | null }>(
    `SELECT count(*) AS pending, sum(CASE WHEN due <= ? THEN 1 ELSE 0 END) AS due FROM deliveries WHERE status = 'pending'`,
    Date.now(),
  )
  const [schedules] = await db.query<{ enabled: number }>(
    'SELECT count(*) AS enabled FROM schedules WHERE due IS NOT NULL',
  )
  return {
    queues,
    deliveries: { pending: deliveries!.pending, due: deliveries!.due ?? 0 },
    schedules: { enabled: schedules!.enabled },
  }
}
