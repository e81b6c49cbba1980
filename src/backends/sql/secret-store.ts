import { SkilletError } from '../../model/errors.ts'
import { isId } from '../../model/ids.ts'
import type { Secret } from '../../model/secrets.ts'
import type { SecretStore } from '../access-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { pageById } from './page.ts'
import { requireUnused } from './secret-use.ts'

export function createSecretStore(db: Database): SecretStore {
  return {
    createSecret(secret, note) {
      return db.tx(async (t) => {
        const { id, tenant, name, kind, path, revision, created_by, created_at, updated_at } = secret
        const [made] = await t.query(
          `INSERT INTO secrets (id, tenant, name, kind, path, revision, created_by, created_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, name) DO NOTHING RETURNING id`,
          id,
          tenant,
          name,
          kind,
          path,
          revision,
          created_by,
          created_at,
          updated_at,
        )
        if (made === undefined) throw new SkilletError('name_taken', `There is a secret "${name}" already.`)
        await writeAudit(t, note, { after: secret })
      })
    },

    findSecret: (tenant, idOrName) => find(db, tenant, idOrName),

    async findSecrets(tenant, ids) {
      if (ids.length === 0) return []
      const rows = await db.query<Secret>(
        `SELECT * FROM secrets WHERE tenant = ? AND id IN (${ids.map(() => '?').join()}) ORDER BY id`,
        tenant,
        ...ids,
      )
      return rows.map((row) => ({ ...row }))
    },

    listSecrets: (tenant, page) =>
      pageById(db, 'SELECT * FROM secrets WHERE tenant = ?', [tenant], page, (row: Secret) => ({ ...row })),

    reviseSecret(tenant, id, revision, at, note) {
      return db.tx(async (t) => {
        const before = await find(t, tenant, id)
        if (before === null) return null
        if (before.revision !== revision) throw changed(before, revision)
        const after: Secret = { ...before, revision: revision + 1, updated_at: at }
        await t.query('UPDATE secrets SET revision = ?, updated_at = ? WHERE id = ?', after.revision, at, before.id)
        await writeAudit(t, note, { before, after })
        return after
      })
    },

    deleteSecret(tenant, id, note) {
      return db.tx(async (t) => {
        const before = await find(t, tenant, id)
        if (before === null) return null
        await requireUnused(t, before)
        await t.query('DELETE FROM secrets WHERE id = ?', before.id)
        await writeAudit(t, note, { before })
        return before
      })
    },
  }
}

async function find(from: Queries, tenant: string, idOrName: string): Promise<Secret | null> {
  const column = isId('secret', idOrName) ? 'id' : 'name'
  const [row] = await from.query<Secret>(`SELECT * FROM secrets WHERE ${column} = ? AND tenant = ?`, idOrName, tenant)
  return row === undefined ? null : { ...row }
}

function changed({ name, revision }: Secret, expected: number): SkilletError {
  return new SkilletError(
    'secret_changed',
    `Secret "${name}" was expected at revision ${expected}; it is at ${revision}.`,
    {
      data: { revision },
    },
  )
}
