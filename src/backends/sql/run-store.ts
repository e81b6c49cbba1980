import { isTerminal } from '../../model/runs.ts'
import type { RunFilter, RunStore } from '../run-ports.ts'
import type { Database } from './database.ts'
import { onlyThese } from './only.ts'
import { afterKey, literal, rowsFor, toPage } from './page.ts'
import { type EventRow, type RunRow, toEvent, toRun } from './rows.ts'
import { createRunAdmission, readRun } from './run-admission.ts'
import { createRunCancelling } from './run-cancelling.ts'
import { createRunEnding } from './run-ending.ts'
import { createRunLeases } from './run-lease.ts'
import { createRunRetrying } from './run-retrying.ts'
import type { Watchers } from './watchers.ts'

export function createRunStore(db: Database, watchers: Watchers): RunStore {
  const { cancel } = createRunCancelling(db, watchers)
  return {
    ...createRunAdmission(db, watchers),
    ...createRunLeases(db, watchers),
    ...createRunRetrying(db, watchers),
    ...createRunEnding(db, watchers),

    find: (tenant, id) => readRun(db, tenant, id),

    async look(tenant, id) {
      const [row] = await db.query<RunRow>('SELECT * FROM runs WHERE id = ? AND tenant = ?', id, tenant)
      return row === undefined ? null : toRun(row)
    },

    async list(tenant, filter) {
      const { where, values } = condition(tenant, filter)
      const rows = await db.query<RunRow>(
        `SELECT * FROM runs WHERE ${where} ORDER BY id DESC LIMIT ${rowsFor(filter)}`,
        ...values,
      )
      return toPage(
        rows,
        filter,
        ({ id }) => id,
        (row) => toRun(row),
      )
    },

    async cancel(tenant, id, note) {
      await cancel(tenant, id, note)
      return readRun(db, tenant, id)
    },

    async events(tenant, run, afterSeq, limit) {
      const rows = await db.query<EventRow>(
        `SELECT run, events.seq, type, at, data FROM events JOIN runs ON runs.id = events.run
         WHERE events.run = ? AND runs.tenant = ? AND events.seq > ? ORDER BY events.seq LIMIT ${literal(limit)}`,
        run,
        tenant,
        afterSeq,
      )
      return rows.map(toEvent)
    },

    watchRun: (id, wake) => watchers.watchRun(id, wake),
    watchQueue: (wake) => watchers.watchQueue(wake),
  }
}

function condition(tenant: string, filter: RunFilter): { where: string; values: string[] } {
  const after = afterKey(filter)
  const parts: [string, string | undefined][] = [
    ['tenant = ?', tenant],
    ['skill = ?', filter.skill],
    ['stage = ?', filter.stage],
    ['status = ?', filter.status],
    ['created_by = ?', filter.createdBy],
    ['id < ?', after ?? undefined],
  ]
  const given = parts.filter((part): part is [string, string] => part[1] !== undefined)
  const where = given.map(([text]) => text)
  // Says which of the two status indexes has it.
  if (filter.status !== undefined) where.push(`finished_at IS ${isTerminal(filter.status) ? 'NOT NULL' : 'NULL'}`)
  if (filter.status === 'succeeded') {
    // Found by its skill or stage where one is named: by its status it would be one of all that succeeded.
    if (filter.skill ?? filter.stage) where.splice(where.indexOf('status = ?'), 1, `status || '' = ?`)
  } else if (filter.status !== undefined) where.push(`status <> 'succeeded'`)
  const values = given.map(([, value]) => value)
  if (filter.deadLetters === true) where.push('dead_letter = 1')
  if (filter.only !== undefined) {
    const only = onlyThese(tenant, filter.only)
    where.push(only.where)
    values.push(...only.values)
  }
  return { where: where.join(' AND '), values }
}
