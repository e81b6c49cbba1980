import { isId } from '../../model/ids.ts'
import { sharedTurn } from '../../model/shared-turn.ts'
import { now } from '../../model/json.ts'
import type { Version } from '../../model/skills.ts'
import type { ArchiveBlob, CatalogueStore, Order } from '../catalogue-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { keepPackage } from './package-keeping.ts'
import { afterKey, afterNumber, oneOf, rowsFor, toPage } from './page.ts'
import { SERVED, SUMMARY, type ServedRow, toEntry, toSummary } from './served-rows.ts'
import { insertSkill, updateSkill } from './skill-keeping.ts'
import { type TenantRow, toTenant } from './tenant-store.ts'
import { VERSION, keepVersion } from './version-keeping.ts'
import { withdrawableFrom } from './version-use.ts'

export function createCatalogueStore(db: Database): CatalogueStore {
  return {
    publish({ skill, create, package: source, version, note }) {
      return db.tx(async (t) => {
        if (create) await insertSkill(t, skill)
        else await updateSkill(t, skill)
        await keepPackage(t, skill.tenant, source)
        const kept = await keepVersion(t, version)
        await writeAudit(t, note, { after: kept.version })
        return kept
      })
    },

    withdraw(tenant, skill, id, note) {
      return db.tx(async (t) => {
        const [version] = await t.query<Version & { rank: string }>(
          `DELETE FROM versions WHERE id = ? AND skill = ? AND tenant = ? RETURNING ${VERSION}, rank`,
          id,
          skill,
          tenant,
        )
        if (version === undefined) return null
        const stages = await withdrawableFrom(t, version)
        for (const stage of stages) {
          await t.query(
            `UPDATE stages SET deployment = NULL, state = CASE WHEN state = 'active' THEN 'empty' ELSE state END,
             revision = revision + 1, updated_at = ? WHERE id = ?`,
            now(),
            stage.id,
          )
        }
        // Nobody can go back to it.
        await t.query(
          `DELETE FROM activations WHERE stage IN (SELECT id FROM stages WHERE skill = ?) AND version = ?`,
          skill,
          version.version,
        )
        await t.query(
          `INSERT INTO withdrawn_versions (skill, sequence, id, tenant, version, rank, digest, withdrawn_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          skill,
          version.sequence,
          version.id,
          tenant,
          version.version,
          version.rank,
          version.digest,
          now(),
        )
        const { rank: _rank, ...before } = version
        await writeAudit(t, note, { before })
        return { retired: stages[0]?.deployment ?? null }
      })
    },

    async requireWithdrawable(version) {
      await withdrawableFrom(db, version)
    },

    async versionAt(tenant, skill, sequence) {
      const [row] = await db.query<Version>(
        `SELECT ${VERSION} FROM versions WHERE skill = ? AND sequence = ? AND tenant = ?`,
        skill,
        sequence,
        tenant,
      )
      return row === undefined ? null : { ...row }
    },

    async versions(tenant, skill, page) {
      const after = page.after ?? afterNumber(page)
      const { than, order } = directionOf(page)
      const rows = await db.query<Version>(
        `SELECT ${VERSION} FROM versions WHERE skill = ? AND tenant = ? ${after === null ? '' : `AND sequence ${than} ?`}
         ORDER BY sequence ${order} LIMIT ${rowsFor(page)}`,
        skill,
        tenant,
        ...(after === null ? [] : [after]),
      )
      return toPage(
        rows,
        page,
        ({ sequence }) => String(sequence),
        (row) => ({ ...row }),
      )
    },

    async summary(tenant, digest) {
      const [row] = await db.query<Pick<ServedRow, 'summary' | 'body'>>(
        `SELECT ${SUMMARY} FROM packages p WHERE p.tenant = ? AND p.digest = ?`,
        tenant,
        digest,
      )
      return row === undefined ? null : toSummary(row)
    },

    async highest(skill) {
      const [row] = await db.query<{ version: string }>(
        `SELECT version, rank FROM (
           SELECT * FROM (SELECT version, rank FROM versions WHERE skill = ? ORDER BY rank DESC LIMIT 1) AS present
           UNION ALL SELECT version, rank FROM withdrawn_versions WHERE skill = ?) AS given ORDER BY rank DESC LIMIT 1`,
        skill,
        skill,
      )
      return row?.version ?? null
    },

    async served(tenant, stage, page) {
      const only = page.only === undefined ? '' : `AND ${oneOf('s.skill', page.only)}`
      const after = page.after ?? afterKey(page)
      const { than, order } = directionOf(page)
      // Catalogues are read to their end, and one of ten thousand skills is long: others get their turn between two pages.
      if (after !== null) await sharedTurn()
      const rows = await db.query<ServedRow>(
        `${SERVED} WHERE s.tenant = ? AND s.name = ? AND s.deployment IS NOT NULL ${only}
         ${after === null ? '' : `AND s.skill ${than} ?`} ORDER BY s.skill ${order} LIMIT ${rowsFor(page)}`,
        tenant,
        stage,
        ...(page.only ?? []),
        ...(after === null ? [] : [after]),
      )
      return toPage(rows, page, ({ skill }) => skill, toEntry)
    },

    async findServed(tenant, stage, skillIdOrName) {
      const column = isId('skill', skillIdOrName) ? 'k.id' : 'k.name'
      const [row] = await db.query<ServedRow>(
        `${SERVED} WHERE ${column} = ? AND k.tenant = ? AND k.deleted_at IS NULL AND s.name = ? AND s.deployment IS NOT NULL`,
        skillIdOrName,
        tenant,
        stage,
      )
      return row === undefined ? null : toEntry(row)
    },

    async providers() {
      const rows = await db.query<TenantRow>(
        `SELECT * FROM tenants WHERE audience <> 'tenant' AND suspended = 0 ORDER BY id`,
      )
      return rows.map(toTenant)
    },

    async findArchive(tenant, digest, layout) {
      const [row] = await db.query<ArchiveBlob>(
        'SELECT sha256, size FROM archives WHERE tenant = ? AND digest = ? AND layout = ?',
        tenant,
        digest,
        layout,
      )
      return row === undefined ? null : { ...row }
    },

    async findArchives(tenant, digests, layout) {
      const rows = await db.query<ArchiveBlob & { digest: string }>(
        `SELECT digest, sha256, size FROM archives WHERE tenant = ? AND ${oneOf('digest', digests)} AND layout = ?`,
        tenant,
        ...digests,
        layout,
      )
      return new Map(rows.map(({ digest, ...archive }) => [digest, archive]))
    },

    async keepArchive(tenant, digest, layout, { sha256, size }) {
      await db.tx((t) =>
        t.query(
          `INSERT INTO archives (tenant, digest, layout, sha256, size) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (tenant, digest, layout) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size`,
          tenant,
          digest,
          layout,
          sha256,
          size,
        ),
      )
    },
  }
}

const directionOf = ({ oldestFirst = false }: Order<unknown>) =>
  oldestFirst ? { than: '>', order: 'ASC' } : { than: '<', order: 'DESC' }
