import type { Link } from '../../model/links.ts'
import type { LinkStore } from '../link-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { pageById } from './page.ts'
import { type TenantRow, toTenant } from './tenant-store.ts'

/** All but the hash, which is looked up by and never read. */
const COLUMNS = 'id, tenant, name, prefix, stage, skills, created_by, created_at, expires_at, last_used_at, revoked_at'

interface LinkRow extends Omit<Link, 'skills'> {
  readonly skills: string
}

export function createLinkStore(db: Database): LinkStore {
  return {
    createLink(link, tokenHash, note) {
      return db.tx(async (t) => {
        await t.query(
          `INSERT INTO links (${COLUMNS}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          link.id,
          link.tenant,
          link.name,
          link.prefix,
          link.stage,
          JSON.stringify(link.skills),
          link.created_by,
          link.created_at,
          link.expires_at,
          link.last_used_at,
          link.revoked_at,
          tokenHash,
        )
        await writeAudit(t, note, { after: link })
      })
    },

    async findLinkByHash(tokenHash) {
      const [row] = await db.query<LinkRow>(`SELECT ${COLUMNS} FROM links WHERE hash = ?`, tokenHash)
      if (row === undefined) return null
      const [tenant] = await db.query<TenantRow>('SELECT * FROM tenants WHERE id = ?', row.tenant)
      return tenant === undefined ? null : { link: toLink(row), tenant: toTenant(tenant) }
    },

    findLink: (tenant, id) => linkById(db, tenant, id),
    listLinks: (tenant, page) => pageById(db, `SELECT ${COLUMNS} FROM links WHERE tenant = ?`, [tenant], page, toLink),

    revokeLink(tenant, id, at, note) {
      return db.tx(async (t) => {
        const before = await linkById(t, tenant, id)
        if (before === null || before.revoked_at !== null) return before
        await t.query('UPDATE links SET revoked_at = ? WHERE id = ?', at, id)
        const after: Link = { ...before, revoked_at: at }
        await writeAudit(t, note, { before, after })
        return after
      })
    },

    async touchLinks(uses) {
      if (uses.length === 0) return
      await db.tx(async (t) => {
        for (const { id, at } of uses) {
          await t.query(
            'UPDATE links SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)',
            at,
            id,
            at,
          )
        }
      })
    },
  }
}

async function linkById(from: Pick<Queries, 'query'>, tenant: string, id: string): Promise<Link | null> {
  const [row] = await from.query<LinkRow>(`SELECT ${COLUMNS} FROM links WHERE id = ? AND tenant = ?`, id, tenant)
  return row === undefined ? null : toLink(row)
}

const toLink = (row: LinkRow): Link => ({ ...row, skills: JSON.parse(row.skills) as string[] })
