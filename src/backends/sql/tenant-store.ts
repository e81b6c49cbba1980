import { OPERATOR_TENANT, type Tenant } from '../../model/access.ts'
import { SkilletError } from '../../model/errors.ts'
import { isId } from '../../model/ids.ts'
import type { AccessStore } from '../access-ports.ts'
import { writeAuditFor } from './audit-log.ts'
import type { Database } from './database.ts'
import { insertKey } from './key-store.ts'
import { pageById } from './page.ts'

type TenantStore = Pick<AccessStore, 'createTenant' | 'countTenants' | 'findTenant' | 'listTenants' | 'updateTenant'>

/** The operator's tenant is no row of these verbs: it is never shown, counted or changed. */
export function createTenantStore(db: Database): TenantStore {
  return {
    createTenant(tenant, key, keyHash, note) {
      return db.tx(async (t) => {
        const [made] = await t.query(
          `INSERT INTO tenants (id, name, suspended, zone, retention_days, audience, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (name) DO NOTHING RETURNING id`,
          tenant.id,
          tenant.name,
          Number(tenant.suspended),
          tenant.zone,
          tenant.retention_days,
          tenant.audience,
          tenant.created_at,
        )
        if (made === undefined) {
          throw new SkilletError('name_taken', `There is a tenant named "${tenant.name}" already.`)
        }
        await insertKey(t, key, keyHash)
        if (note !== null) await writeAuditFor(t, tenant.id, note, { after: tenant })
      })
    },

    async countTenants() {
      const [row] = await db.query<{ n: number }>('SELECT count(*) AS n FROM tenants WHERE id <> ?', OPERATOR_TENANT.id)
      return row!.n
    },

    async findTenant(idOrName) {
      const column = isId('tenant', idOrName) ? 'id' : 'name'
      const [row] = await db.query<TenantRow>(
        `SELECT * FROM tenants WHERE ${column} = ? AND id <> ?`,
        idOrName,
        OPERATOR_TENANT.id,
      )
      return row === undefined ? null : toTenant(row)
    },

    listTenants: (page) => pageById(db, 'SELECT * FROM tenants WHERE id <> ?', [OPERATOR_TENANT.id], page, toTenant),

    updateTenant(id, change, note) {
      return db.tx(async (t) => {
        if (id === OPERATOR_TENANT.id) return null
        const [row] = await t.query<TenantRow>('SELECT * FROM tenants WHERE id = ?', id)
        if (row === undefined) return null
        const before = toTenant(row)
        const after: Tenant = {
          ...before,
          suspended: change.suspended ?? before.suspended,
          zone: change.zone ?? before.zone,
          retention_days: change.retention_days ?? before.retention_days,
          audience: change.audience ?? before.audience,
        }
        await t.query(
          'UPDATE tenants SET suspended = ?, zone = ?, retention_days = ?, audience = ? WHERE id = ?',
          Number(after.suspended),
          after.zone,
          after.retention_days,
          after.audience,
          id,
        )
        await writeAuditFor(t, id, note, { before, after })
        return after
      })
    },
  }
}

export interface TenantRow extends Omit<Tenant, 'suspended'> {
  readonly suspended: number
}

/** In the order of the noun, whatever the order of the columns. */
export function toTenant({ id, name, suspended, zone, retention_days, audience, created_at }: TenantRow): Tenant {
  return { id, name, suspended: suspended === 1, zone, retention_days, audience, created_at }
}
