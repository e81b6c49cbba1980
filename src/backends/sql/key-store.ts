import type { ApiKey, Tenant } from '../../model/access.ts'
import type { AccessStore } from '../access-ports.ts'
import { writeAuditFor } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { pageById } from './page.ts'

type KeyStore = Pick<AccessStore, 'createKey' | 'findKey' | 'findKeyById' | 'listKeys' | 'revokeKey' | 'touchKeys'>

/** All but the hash, which is looked up by and never read. */
const COLUMNS = 'id, tenant, role, name, prefix, created_by, created_at, expires_at, last_used_at, revoked_at'

export function createKeyStore(db: Database): KeyStore {
  return {
    createKey(key, keyHash, note) {
      return db.tx(async (t) => {
        await insertKey(t, key, keyHash)
        if (note !== null) await writeAuditFor(t, key.tenant, note, { after: key })
      })
    },

    async findKey(keyHash) {
      const [row] = await db.query<
        ApiKey & {
          t_name: string
          t_suspended: number
          t_zone: string
          t_retention: number
          t_audience: Tenant['audience']
          t_created: string
        }
      >(
        `SELECT ${COLUMNS.replaceAll(/\w+/g, 'k.$&')},
         t.name AS t_name, t.suspended AS t_suspended, t.zone AS t_zone, t.retention_days AS t_retention, t.audience AS t_audience, t.created_at AS t_created
         FROM api_keys k JOIN tenants t ON t.id = k.tenant WHERE k.hash = ?`,
        keyHash,
      )
      if (row === undefined) return null
      const { t_name, t_suspended, t_zone, t_retention, t_audience, t_created, ...key } = row
      const tenant: Tenant = {
        id: key.tenant,
        name: t_name,
        suspended: t_suspended === 1,
        zone: t_zone,
        retention_days: t_retention,
        audience: t_audience,
        created_at: t_created,
      }
      return { key, tenant }
    },

    findKeyById: (tenant, id) => keyById(db, tenant, id),

    listKeys: (tenant, page) =>
      pageById(db, `SELECT ${COLUMNS} FROM api_keys WHERE tenant = ?`, [tenant], page, (row: ApiKey) => ({ ...row })),

    revokeKey(tenant, id, at, note) {
      return db.tx(async (t) => {
        const before = await keyById(t, tenant, id)
        if (before === null || before.revoked_at !== null) return before
        await t.query('UPDATE api_keys SET revoked_at = ? WHERE id = ?', at, id)
        await t.query(`DELETE FROM grant_skills WHERE grant_id IN (${GRANTS})`, tenant, id)
        const gone = await t.query<{ id: string }>(
          `DELETE FROM grants WHERE id IN (${GRANTS}) RETURNING id`,
          tenant,
          id,
        )
        const after: ApiKey = { ...before, revoked_at: at }
        const detail = { ...note.detail, deleted_grants: gone.map((grant) => grant.id) }
        await writeAuditFor(t, tenant, { ...note, detail }, { before, after })
        return after
      })
    },

    async touchKeys(uses) {
      if (uses.length === 0) return
      await db.tx(async (t) => {
        for (const { id, at } of uses) {
          await t.query(
            'UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)',
            at,
            id,
            at,
          )
        }
      })
    },
  }
}

/** For the first key of a tenant, too, which is made with it. */
export async function insertKey(t: Transaction, key: ApiKey, keyHash: string): Promise<void> {
  await t.query(
    `INSERT INTO api_keys (${COLUMNS}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    key.id,
    key.tenant,
    key.role,
    key.name,
    key.prefix,
    key.created_by,
    key.created_at,
    key.expires_at,
    key.last_used_at,
    key.revoked_at,
    keyHash,
  )
}

const GRANTS = 'SELECT id FROM grants WHERE tenant = ? AND principal = ?'

async function keyById(from: Pick<Database, 'query'>, tenant: string, id: string): Promise<ApiKey | null> {
  const [row] = await from.query<ApiKey>(`SELECT ${COLUMNS} FROM api_keys WHERE id = ? AND tenant = ?`, id, tenant)
  return row === undefined ? null : { ...row }
}
