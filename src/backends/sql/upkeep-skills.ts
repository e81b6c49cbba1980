import { firstId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { SweepStep } from '../upkeep-ports.ts'
import type { Database, Transaction } from './database.ts'
import { literal } from './page.ts'
import { STEP, gone, removeInTurn } from './upkeep-step.ts'

type Sweep = (tenant: string, before: number, from: string | null) => Promise<SweepStep>

/** What was uploaded and is served no more. */
export function createSkillSweeps(db: Database): Record<'skills' | 'uploads' | 'packages', Sweep> & {
  unusedBlobs(sha256: readonly string[]): Promise<string[]>
} {
  return {
    async skills(tenant, before, from) {
      const rows = await db.query<{ id: string }>(
        `SELECT id FROM skills WHERE tenant = ? AND deleted_at IS NOT NULL AND id > ? AND deleted_at < ?
         ORDER BY id LIMIT ${literal(STEP)}`,
        tenant,
        from ?? '',
        now(before),
      )
      const step = await removeInTurn(
        db,
        rows,
        ({ id }) => id,
        (t, { id }) => removeSomeOf(t, tenant, id),
      )
      // One skill may take many steps: they begin with the same as long as there is something to remove.
      return step.removed > 0 ? { ...step, next: from ?? '' } : step
    },

    async uploads(tenant, before, from) {
      const rows = await db.query<{ id: string }>(
        `SELECT id FROM uploads WHERE tenant = ? AND id > ? AND id < ? ORDER BY id LIMIT ${literal(STEP)}`,
        tenant,
        from ?? '',
        firstId('upload', before),
      )
      return removeInTurn(
        db,
        rows,
        ({ id }) => id,
        (t, { id }) =>
          gone(
            t,
            `DELETE FROM uploads WHERE id = ? AND state NOT IN ('received', 'validating') AND NOT EXISTS
               (SELECT 1 FROM stages WHERE stages.id = uploads.stage AND stages.upload = uploads.id) RETURNING id`,
            id,
          ),
      )
    },

    async packages(tenant, _before, from) {
      const rows = await db.query<{ digest: string; used: number }>(
        `SELECT digest, CASE WHEN ${NAMED} THEN 1 ELSE 0 END AS used FROM packages WHERE tenant = ? AND digest > ?
         ORDER BY digest LIMIT ${literal(STEP)}`,
        tenant,
        from ?? '',
      )
      const last = rows.at(-1)
      const step = await removeInTurn(
        db,
        rows.filter(({ used }) => used === 0),
        ({ digest }) => digest,
        // One that is being validated may turn out to be any package that is known, and then is not built again.
        async (t, { digest }) => {
          const removed = await gone(
            t,
            `DELETE FROM packages WHERE tenant = ? AND digest = ? AND NOT (${NAMED}) AND NOT EXISTS
               (SELECT 1 FROM uploads WHERE state IN ('received', 'validating') AND uploads.tenant = packages.tenant) RETURNING digest`,
            tenant,
            digest,
          )
          if (removed) await t.query('DELETE FROM archives WHERE tenant = ? AND digest = ?', tenant, digest)
          return removed
        },
      )
      return step.next !== null || last === undefined || rows.length < STEP ? step : { ...step, next: last.digest }
    },

    async unusedBlobs(sha256) {
      if (sha256.length === 0) return []
      const among = `IN (${sha256.map(() => '?').join()})`
      const used = await db.query<{ blob: string }>(
        `SELECT archive_blob AS blob FROM packages WHERE archive_blob ${among}
         UNION ALL SELECT bundle_blob FROM packages WHERE bundle_blob ${among}
         UNION ALL SELECT bundle_blob FROM deployments WHERE bundle_blob ${among}
         UNION ALL SELECT sha256 FROM archives WHERE sha256 ${among}
         UNION ALL SELECT sha256 FROM uploads WHERE state IN ('received', 'validating') AND sha256 ${among}`,
        ...Array.from({ length: 5 }, () => sha256).flat(),
      )
      const known = new Set(used.map(({ blob }) => blob))
      return sha256.filter((digest) => !known.has(digest))
    },
  }
}

const NAMED = `EXISTS (SELECT 1 FROM versions WHERE versions.tenant = packages.tenant AND versions.digest = packages.digest)
  OR EXISTS (SELECT 1 FROM uploads WHERE uploads.tenant = packages.tenant AND uploads.digest = packages.digest AND uploads.digest IS NOT NULL)`

/** Rows of a skill that are removed at a time. */
const SOME = 50

/**
 * Some rows of a deleted skill without runs, the skill itself at last. What it served is in its runs and nowhere else: its stages went when
 * it was deleted.
 */
async function removeSomeOf(t: Transaction, tenant: string, skill: string): Promise<number> {
  const [run] = await t.query('SELECT id FROM runs WHERE tenant = ? AND skill = ? LIMIT 1', tenant, skill)
  if (run !== undefined) return 0
  for (const table of ['uploads', 'versions', 'deployments']) {
    const rows = await t.query(
      `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE skill = ? LIMIT ${literal(SOME)}) RETURNING id`,
      skill,
    )
    if (rows.length > 0) return rows.length
  }
  await t.query('DELETE FROM withdrawn_versions WHERE skill = ?', skill)
  await t.query('DELETE FROM quotas WHERE tenant = ? AND scope = ?', tenant, skill)
  await t.query('DELETE FROM quota_used WHERE tenant = ? AND scope = ?', tenant, skill)
  return Number(await gone(t, 'DELETE FROM skills WHERE id = ? AND deleted_at IS NOT NULL RETURNING id', skill))
}
