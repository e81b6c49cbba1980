import { setImmediate } from 'node:timers/promises'
import type { AuditEvent } from '../../model/audit.ts'
import type { AuditStore } from '../access-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { afterNumber, literal, rowsFor, toPage } from './page.ts'

/** What is searched at once, in rows: between two such pieces of a long log others get their turn. */
const PIECE = 2000

/** Rows that somebody put outside of what is counted are not part of the log: a row that was moved there is missing. */
const LAST = Number.MAX_SAFE_INTEGER

interface AuditRow extends Omit<AuditEvent, 'detail'> {
  readonly detail: string
}
type Filter = Parameters<AuditStore['list']>[1]

export function createAuditStore(db: Database): AuditStore {
  return {
    append: (note, outcome) => db.tx((t) => writeAudit(t, note, { outcome })),

    async list(tenant, filter) {
      const after = afterNumber(filter)
      const rows = await search(db, tenant, filter, after === null ? LAST : after - 1)
      return toPage(rows, filter, ({ seq }) => String(seq), toEvent)
    },

    async read(tenant, afterSeq, limit) {
      const rows = await db.query<AuditRow>(
        `SELECT * FROM audit WHERE tenant = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ${literal(limit)}`,
        tenant,
        afterSeq,
        LAST,
      )
      return rows.map(toEvent)
    },

    async head(tenant) {
      const [row] = await db.query<{ seq: number; hash: string }>(
        'SELECT seq, hash FROM audit_heads WHERE tenant = ? AND seq > 0',
        tenant,
      )
      return row === undefined ? null : { ...row }
    },
  }
}

/** From `last` down, piece by piece: the log is in no index but its own, since every change would pay for another. */
async function search(db: Database, tenant: string, filter: Filter, last: number): Promise<AuditRow[]> {
  const parts = (['action', 'actor', 'target'] as const).flatMap((name) => {
    const value = filter[name]
    return value === undefined ? [] : [{ name, value }]
  })
  const where = parts.map(({ name }) => `AND ${name} = ?`).join(' ')
  const wanted = Number(rowsFor(filter))
  const found: AuditRow[] = []
  for (let to = last; to > 0 && found.length < wanted;) {
    // Without a filter the first rows are those that are wanted.
    const from = parts.length === 0 ? 1 : await firstOfPiece(db, tenant, to)
    const rows = await db.query<AuditRow>(
      `SELECT * FROM audit WHERE tenant = ? AND seq BETWEEN ? AND ? ${where} ORDER BY seq DESC LIMIT ${literal(wanted - found.length)}`,
      tenant,
      from,
      to,
      ...parts.map(({ value }) => value),
    )
    found.push(...rows)
    to = from - 1
    if (to > 0) await setImmediate()
  }
  return found
}

async function firstOfPiece(db: Database, tenant: string, to: number): Promise<number> {
  const [row] = await db.query<{ seq: number }>(
    `SELECT seq FROM audit WHERE tenant = ? AND seq BETWEEN 1 AND ? ORDER BY seq DESC LIMIT 1 OFFSET ${literal(PIECE - 1)}`,
    tenant,
    to,
  )
  return row?.seq ?? 1
}

function toEvent(row: AuditRow): AuditEvent {
  return { ...row, detail: detailOf(row.detail) }
}

/** Whoever spoilt it in the database is found by its hash, and keeps nobody from reading the rest. */
function detailOf(text: string): AuditEvent['detail'] {
  try {
    const detail: unknown = JSON.parse(text)
    if (typeof detail === 'object' && detail !== null && !Array.isArray(detail)) return detail as AuditEvent['detail']
  } catch (error) {
    return { unreadable: text, error: (error as Error).message }
  }
  return { unreadable: text }
}
