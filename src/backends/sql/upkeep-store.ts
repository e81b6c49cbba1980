import type { StateCopy, UpkeepStore } from '../upkeep-ports.ts'
import type { Database } from './database.ts'
import { literal } from './page.ts'
import { createRunSweeps } from './upkeep-runs.ts'
import { createSkillSweeps } from './upkeep-skills.ts'
import { STEP } from './upkeep-step.ts'
import { createVaultSweep } from './upkeep-vault.ts'

/** @param copyTo How this very database is copied while it is in use. */
export function createUpkeepStore(db: Database, copyTo: (file: string) => Promise<StateCopy>): UpkeepStore {
  const { idempotency, ...ofRuns } = createRunSweeps(db)
  const { unusedBlobs, ...ofSkills } = createSkillSweeps(db)
  const sweeps = { ...ofRuns, ...ofSkills }
  return {
    async retentions(after) {
      const rows = await db.query<{ id: string; retention_days: number }>(
        `SELECT id, retention_days FROM tenants WHERE id > ? ORDER BY id LIMIT ${literal(STEP)}`,
        after ?? '',
      )
      return rows.map(({ id, retention_days }) => ({ tenant: id, days: retention_days }))
    },
    sweep: (kind, tenant, before, from) => sweeps[kind](tenant, before, from),
    sweepIdempotency: idempotency,
    ...createVaultSweep(db),
    unusedBlobs,
    copyTo,
  }
}
