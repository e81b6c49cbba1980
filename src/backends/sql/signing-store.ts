import type { SigningKey } from '../../model/signatures.ts'
import type { SigningStore } from '../signing-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'

const KEY = 'id, tenant, public_key, created_at, retired_at'

export function createSigningStore(db: Database): SigningStore {
  return {
    async activeKey(tenant) {
      const [row] = await db.query<SigningKey & { path: string }>(
        `SELECT ${KEY}, path FROM signing_keys WHERE tenant = ? AND retired_at IS NULL`,
        tenant,
      )
      if (row === undefined) return null
      const { path, ...key } = row
      return { key, path }
    },

    async signingKeys(tenant) {
      const rows = await db.query<SigningKey>(
        `SELECT ${KEY} FROM signing_keys WHERE tenant = ? ORDER BY created_at DESC, id DESC`,
        tenant,
      )
      return rows.map((row) => ({ ...row }))
    },

    addSigningKey(key, path, replaces, note) {
      return db.tx(async (t) => {
        const [active] = await t.query<{ id: string }>(
          'UPDATE signing_keys SET retired_at = ? WHERE tenant = ? AND retired_at IS NULL RETURNING id',
          key.created_at,
          key.tenant,
        )
        if ((active?.id ?? null) !== replaces) {
          // Undone: somebody else came first.
          if (active !== undefined) {
            await t.query(
              'UPDATE signing_keys SET retired_at = NULL WHERE tenant = ? AND id = ?',
              key.tenant,
              active.id,
            )
          }
          return false
        }
        await t.query(
          'INSERT INTO signing_keys (id, tenant, public_key, path, revision, created_at, retired_at) VALUES (?, ?, ?, ?, 1, ?, NULL)',
          key.id,
          key.tenant,
          key.public_key,
          path,
          key.created_at,
        )
        await writeAudit(t, note, { after: key })
        return true
      })
    },
  }
}
