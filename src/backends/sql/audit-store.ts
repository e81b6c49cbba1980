import type { AuditEvent } from '../../model/audit.ts'
import type { AuditStore } from '../access-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { afterKey, literal, rowsFor, toPage } from './page.ts'

interface AuditRow extends Omit<AuditEvent, 'detail'> {
  readonly detail: string
}

export function createAuditStore(db: Database): AuditStore {
  return {
    append: (note, outcome) => db.tx((t) => writeAudit(t, note, { outcome })),

    async list(tenant, filter) {
      const after = afterKey(filter)
      const parts: [string, string | number | undefined][] = [
        ['tenant = ?', tenant],
        ['action = ?', filter.action],
        ['actor = ?', filter.actor],
        ['target = ?', filter.target],
        ['seq < ?', after === null ? undefined : Number(after)],
      ]
      const given = parts.filter((part): part is [string, string | number] => part[1] !== undefined)
      const rows = await db.query<AuditRow>(
        `SELECT * FROM audit WHERE ${given.map(([text]) => text).join(' AND ')} ORDER BY seq DESC LIMIT ${rowsFor(filter)}`,
        ...given.map(([, value]) => value),
      )
      return toPage(rows, filter, ({ seq }) => String(seq), toEvent)
    },

    async read(tenant, afterSeq, limit) {
      const rows = await db.query<AuditRow>(
        `SELECT * FROM audit WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ${literal(limit)}`,
        tenant,
        afterSeq,
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

function toEvent(row: AuditRow): AuditEvent {
  return { ...row, detail: JSON.parse(row.detail) as AuditEvent['detail'] }
}
