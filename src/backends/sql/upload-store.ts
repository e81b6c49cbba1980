import { SkilletError, notFound } from '../../model/errors.ts'
import type { SkillStore } from '../ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { findPackage, keepPackage } from './package-keeping.ts'
import { type UploadRow, toUpload } from './rows.ts'

type UploadStore = Pick<
  SkillStore,
  | 'createUpload'
  | 'findUpload'
  | 'findUploadById'
  | 'receiveUpload'
  | 'stepUpload'
  | 'finishUpload'
  | 'unfinishedUploads'
  | 'findPackage'
>

const NEWEST = `UPDATE stages SET state = ?, revision = revision + 1, updated_at = ? WHERE id = ? AND upload = ?`

export function createUploadStore(db: Database): UploadStore {
  return {
    createUpload(upload, note) {
      return db.tx(async (t) => {
        // What is announced and not sent yet says nothing of the stage: it is what its deployment makes it.
        const [stage] = await t.query(
          `UPDATE stages SET upload = ?, state = CASE WHEN deployment IS NULL THEN 'empty' ELSE 'active' END,
           revision = revision + 1, updated_at = ? WHERE id = ? AND skill = ? AND tenant = ? RETURNING id`,
          upload.id,
          upload.created_at,
          upload.stage,
          upload.skill,
          upload.tenant,
        )
        if (stage === undefined) throw notFound('stage', upload.stage)
        await t.query(
          `INSERT INTO uploads (id, tenant, skill, stage, state, size, sha256, step, findings, digest, created_by, created_at,
           expires_at, finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          upload.id,
          upload.tenant,
          upload.skill,
          upload.stage,
          upload.state,
          upload.size,
          upload.sha256,
          upload.step,
          JSON.stringify(upload.findings),
          upload.digest,
          upload.created_by,
          upload.created_at,
          upload.expires_at,
          upload.finished_at,
        )
        await writeAudit(t, note, { after: upload })
      })
    },

    async findUpload(tenant, id) {
      const [row] = await db.query<UploadRow>('SELECT * FROM uploads WHERE id = ? AND tenant = ?', id, tenant)
      return row === undefined ? null : toUpload(row)
    },

    async findUploadById(id) {
      const [row] = await db.query<UploadRow>('SELECT * FROM uploads WHERE id = ?', id)
      return row === undefined ? null : toUpload(row)
    },

    receiveUpload(id, at, note) {
      return db.tx(async (t) => {
        const [row] = await t.query<UploadRow>(
          `UPDATE uploads SET state = 'received' WHERE id = ? AND state = 'pending' AND expires_at > ? RETURNING *`,
          id,
          at,
        )
        if (row === undefined) throw await whyNotReceived(t, id)
        await t.query(NEWEST, 'validating', at, row.stage, id)
        const after = toUpload(row)
        await writeAudit(t, note, { before: { ...after, state: 'pending' }, after })
        return after
      })
    },

    async stepUpload(id, step) {
      await db.tx((t) =>
        t.query(
          `UPDATE uploads SET state = 'validating', step = ? WHERE id = ? AND state IN ('received', 'validating')`,
          step,
          id,
        ),
      )
    },

    finishUpload(id, result) {
      return db.tx(async (t) => {
        const accepted = result.package !== null
        const [row] = await t.query<UploadRow>(
          `UPDATE uploads SET state = ?, step = NULL, findings = ?, digest = ?, finished_at = ?
           WHERE id = ? AND state IN ('received', 'validating') RETURNING *`,
          accepted ? 'accepted' : 'rejected',
          JSON.stringify(result.findings),
          result.package?.digest ?? null,
          result.at,
          id,
        )
        if (row === undefined) {
          // Validated twice, such as around a restart: the first result stands.
          const [before] = await t.query<UploadRow>('SELECT * FROM uploads WHERE id = ?', id)
          if (before === undefined) throw notFound('upload', id)
          return toUpload(before)
        }
        if (result.package !== null) await keepPackage(t, row.tenant, result.package)
        await t.query(NEWEST, accepted ? 'ready_to_deploy' : 'validation_failed', result.at, row.stage, id)
        return toUpload(row)
      })
    },

    async unfinishedUploads() {
      const rows = await db.query<UploadRow>(
        `SELECT * FROM uploads WHERE state IN ('received', 'validating') ORDER BY id`,
      )
      return rows.map(toUpload)
    },

    findPackage: (tenant, digest) => findPackage(db, tenant, digest),
  }
}

async function whyNotReceived(t: Transaction, id: string): Promise<SkilletError> {
  const [row] = await t.query<UploadRow>('SELECT * FROM uploads WHERE id = ?', id)
  if (row === undefined) return notFound('upload', id)
  if (row.state === 'expired') return new SkilletError('upload_expired', `The stage of upload ${id} was deleted.`)
  if (row.state !== 'pending') return new SkilletError('upload_repeated', `Upload ${id} is ${row.state}.`)
  return new SkilletError('upload_expired', `Upload ${id} expired at ${row.expires_at}.`)
}
