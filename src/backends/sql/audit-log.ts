import { type AuditEvent, type AuditNote, NO_HASH, auditHash, digestOf } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { Transaction } from './database.ts'

/** What changed: the noun as it was and as it became. Only their digests are kept. */
export interface Changed {
  readonly before?: object | null
  readonly after?: object | null
  /** Default: done. */
  readonly outcome?: AuditEvent['outcome']
}

/**
 * Adds a row to the end of the tenant's chain, in the transaction of what it tells of: both are kept or neither.
 * On SQLite transactions stand in line; elsewhere the row of the head is what the next one waits for.
 */
export async function writeAudit(t: Transaction, note: AuditNote, changed: Changed = {}): Promise<AuditEvent> {
  const head = await headOf(t, note.tenant)
  const { detail, ...rest } = note
  const row = {
    ...rest,
    // What is hashed is what will be read: values that JSON has no word for are gone before.
    detail: JSON.parse(JSON.stringify(detail)) as AuditEvent['detail'],
    seq: head.seq + 1,
    at: now(),
    outcome: changed.outcome ?? 'done',
    before: digestOf(changed.before ?? null),
    after: digestOf(changed.after ?? null),
    previous: head.hash,
  }
  const event: AuditEvent = { ...row, hash: auditHash(row) }
  await t.query(
    `INSERT INTO audit (tenant, seq, at, actor_kind, actor, action, target_kind, target, outcome, request_id, client, before, after,
     detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    event.tenant,
    event.seq,
    event.at,
    event.actor_kind,
    event.actor,
    event.action,
    event.target_kind,
    event.target,
    event.outcome,
    event.request_id,
    event.client,
    event.before,
    event.after,
    JSON.stringify(event.detail),
    event.previous,
    event.hash,
  )
  await t.query('UPDATE audit_heads SET seq = ?, hash = ? WHERE tenant = ?', event.seq, event.hash, event.tenant)
  return event
}

interface Head {
  readonly seq: number
  readonly hash: string
}

/** The end of the chain, held. */
async function headOf(t: Transaction, tenant: string): Promise<Head> {
  const [found] = await t.query<Head>(`SELECT seq, hash FROM audit_heads WHERE tenant = ?${t.dialect.held}`, tenant)
  if (found !== undefined) return found
  // Two first rows at once: the second waits here, and then sees what the first one left.
  const [made] = await t.query<Head>(
    `INSERT INTO audit_heads (tenant, seq, hash) VALUES (?, 0, ?)
     ON CONFLICT (tenant) DO UPDATE SET seq = audit_heads.seq RETURNING seq, hash`,
    tenant,
    NO_HASH,
  )
  return made!
}

/** As `writeAudit`, and where the note is another tenant's, as an operator's is, into the log of the tenant that it concerns, too. */
export async function writeAuditFor(
  t: Transaction,
  tenant: string,
  note: AuditNote,
  changed: Changed = {},
): Promise<void> {
  await writeAudit(t, note, changed)
  if (note.tenant !== tenant) await writeAudit(t, { ...note, tenant }, changed)
}
