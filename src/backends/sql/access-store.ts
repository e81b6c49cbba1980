import { type ApiKey, OPERATOR_TENANT } from '../../model/access.ts'
import type { AccessStore } from '../access-ports.ts'
import type { Database } from './database.ts'

export function createAccessStore(db: Database): AccessStore {
  return {
    createTenant(tenant, key, keyHash) {
      return db.tx(async (t) => {
        const { id, name, created_at } = tenant
        await t.query('INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)', id, name, created_at)
        await t.query(
          `INSERT INTO api_keys (id, tenant, role, name, prefix, hash, created_at, expires_at, revoked_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          key.id,
          key.tenant,
          key.role,
          key.name,
          key.prefix,
          keyHash,
          key.created_at,
          key.expires_at,
          key.revoked_at,
        )
      })
    },

    async countTenants() {
      const [row] = await db.query<{ n: number }>('SELECT count(*) AS n FROM tenants WHERE id <> ?', OPERATOR_TENANT.id)
      return row!.n
    },

    async findKey(keyHash) {
      const [row] = await db.query<ApiKey>(
        `SELECT id, tenant, role, name, prefix, created_at, expires_at, revoked_at FROM api_keys WHERE hash = ?`,
        keyHash,
      )
      return row === undefined ? null : { ...row }
    },
  }
}
