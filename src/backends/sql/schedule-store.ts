import { SkilletError, notFound } from '../../model/errors.ts'
import type { Fire } from '../../model/schedules.ts'
import type { ScheduleStore } from '../flow-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { onlyThese } from './only.ts'
import { afterKey, literal, rowsFor, toPage } from './page.ts'
import { createScheduleFiring } from './schedule-firing.ts'
import {
  SUMMARY_COLUMNS,
  type KeptSchedule,
  type ScheduleRow,
  type ScheduleWithLast,
  nextOf,
  specOf,
  toKept,
  toSchedule,
  toSummary,
  withoutLast,
} from './schedule-rows.ts'
import type { Watchers } from './watchers.ts'

export function createScheduleStore(db: Database, watchers: Watchers): ScheduleStore {
  return {
    ...createScheduleFiring(db, watchers),

    putSchedule(schedule, next, revision, note) {
      return db.tx(async (t) => {
        const { tenant, stage } = schedule
        // Whoever deletes the stage comes before and is seen, or comes after and sees the schedule.
        const [place] = await t.query(
          'UPDATE stages SET revision = revision WHERE id = ? AND tenant = ? RETURNING id',
          stage,
          tenant,
        )
        if (place === undefined) throw notFound('stage', stage)
        const before = await find(t, tenant, stage)
        // Revision 0 stands for "there is none yet".
        if (revision !== undefined && revision !== (before?.revision ?? 0)) throw changed(revision, before)
        const after: KeptSchedule = {
          ...schedule,
          input: schedule.input === undefined ? {} : schedule.input,
          revision: (before?.revision ?? 0) + 1,
          created_by: before?.created_by ?? schedule.created_by,
          created_at: before?.created_at ?? schedule.created_at,
        }
        const fires = after.enabled ? next : null
        await t.query(
          `INSERT INTO schedules (stage, tenant, skill, spec, input, revision, instant, due, created_by, created_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (stage) DO UPDATE SET spec = excluded.spec, input = excluded.input, revision = excluded.revision, instant = excluded.instant,
           due = excluded.due, updated_at = excluded.updated_at`,
          stage,
          tenant,
          after.skill,
          specOf(after),
          JSON.stringify(after.input),
          after.revision,
          fires?.instant ?? null,
          fires?.due ?? null,
          after.created_by,
          after.created_at,
          after.updated_at,
        )
        await writeAudit(t, note, { before: before === null ? null : withoutLast(before), after })
        watchers.schedulesChanged(t)
        return toSchedule((await find(t, tenant, stage))!)
      })
    },

    async findSchedule(tenant, stage) {
      const row = await find(db, tenant, stage)
      return row === null ? null : toSchedule(row)
    },

    async listSchedules(tenant, filter) {
      const after = afterKey(filter)
      const only = filter.only === undefined ? null : onlyThese(tenant, filter.only)
      const where = ['tenant = ?', ...(after === null ? [] : ['stage < ?']), ...(only === null ? [] : [only.where])]
      const rows = await db.query<Omit<ScheduleWithLast, 'input'>>(
        `${withLast(`SELECT ${SUMMARY_COLUMNS} FROM schedules WHERE ${where.join(' AND ')} ORDER BY stage DESC LIMIT ${rowsFor(filter)}`)}
         ORDER BY s.stage DESC`,
        tenant,
        ...(after === null ? [] : [after]),
        ...(only?.values ?? []),
      )
      return toPage(rows, filter, ({ stage }) => stage, toSummary)
    },

    deleteSchedule(tenant, stage, note) {
      return db.tx(async (t) => {
        const [gone] = await t.query<ScheduleRow>(
          'DELETE FROM schedules WHERE stage = ? AND tenant = ? RETURNING *',
          stage,
          tenant,
        )
        if (gone === undefined) return false
        await writeAudit(t, note, { before: toKept(gone) })
        return true
      })
    },

    async listFires(tenant, stage, page) {
      const after = afterKey(page)
      const rows = await db.query<Fire>(
        `SELECT stage, scheduled_for, outcome, run, missed_until, fired_at FROM fires
         WHERE stage = ? AND tenant = ? ${after === null ? '' : 'AND scheduled_for < ?'}
         ORDER BY scheduled_for DESC LIMIT ${rowsFor(page)}`,
        stage,
        tenant,
        ...(after === null ? [] : [after]),
      )
      return toPage(
        rows,
        page,
        (row) => row.scheduled_for,
        (row) => ({ ...row }),
      )
    },

    async due(at, limit, after) {
      const rows = await db.query<ScheduleRow>(
        `SELECT * FROM schedules WHERE due <= ? ${after === undefined ? '' : 'AND (due, stage) > (?, ?)'}
         ORDER BY due, stage LIMIT ${literal(limit)}`,
        at,
        ...(after === undefined ? [] : [after.next.due, after.schedule.stage]),
      )
      return rows.map((row) => ({ schedule: toKept(row), next: nextOf(row) }))
    },

    async nextDue(after) {
      const later = after === undefined ? '' : 'AND due > ?'
      const [row] = await db.query<{ due: number | null }>(
        `SELECT min(due) AS due FROM schedules WHERE due IS NOT NULL ${later}`,
        ...(after === undefined ? [] : [after]),
      )
      return row?.due ?? null
    },

    watchSchedules: (wake) => watchers.watchSchedules(wake),
  }
}

/** Schedules with their last fires, each found by its key. @param schedules A SELECT of all columns. */
const withLast = (schedules: string): string =>
  `SELECT s.*, f.scheduled_for, f.outcome, f.run, f.missed_until, f.fired_at FROM (${schedules}) AS s
   LEFT JOIN fires AS f ON f.stage = s.stage
   AND f.scheduled_for = (SELECT max(scheduled_for) FROM fires WHERE fires.stage = s.stage)`

async function find(from: Queries, tenant: string, stage: string): Promise<ScheduleWithLast | null> {
  const [row] = await from.query<ScheduleWithLast>(
    withLast('SELECT * FROM schedules WHERE stage = ? AND tenant = ?'),
    stage,
    tenant,
  )
  return row ?? null
}

function changed(expected: number, present: ScheduleRow | null): SkilletError {
  const is = present === null ? 'there is none' : `it is at revision ${present.revision}`
  return new SkilletError('schedule_changed', `The schedule was expected at revision ${expected}; ${is}.`, {
    data: present === null ? {} : { revision: present.revision },
  })
}
