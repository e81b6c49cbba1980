import { SkilletError, notFound } from '../../model/errors.ts'
import { isId, newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Stage } from '../../model/skills.ts'
import type { SkillStore } from '../ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { type StageRow, toStage } from './rows.ts'
import { cancelRuns, liveRunsOf } from './run-cancelling.ts'
import { requireSecrets } from './secret-use.ts'
import type { Watchers } from './watchers.ts'
import { cancelWaiting, endWebhooksOf } from './webhook-ending.ts'

type StageStore = Pick<SkillStore, 'putStage' | 'findStage' | 'findServed' | 'listStages' | 'deleteStage'>

export function createStageStore(db: Database, watchers: Watchers): StageStore {
  return {
    putStage(tenant, skill, name, config, revision, note) {
      return db.tx(async (t) => {
        if (config !== null) await requireSecrets(t, tenant, config)
        const made = await insertStage(t, tenant, skill, name, JSON.stringify(config ?? {}))
        if (made !== null) {
          // Revision 0 stands for "there is none yet".
          if (revision !== undefined && revision !== 0) throw changed(name, revision, null)
          await writeAudit(t, note, { after: made })
          return made
        }
        const found = await stageNamed(t, skill, name)
        if (revision !== undefined && revision !== found.revision) throw changed(name, revision, found.revision)
        if (config === null) return found
        const [row] = await t.query<StageRow>(
          'UPDATE stages SET config = ?, revision = revision + 1, updated_at = ? WHERE id = ? AND revision = ? RETURNING *',
          JSON.stringify(config),
          now(),
          found.id,
          found.revision,
        )
        if (row === undefined) throw changed(name, found.revision, null)
        const after = toStage(row)
        await writeAudit(t, note, { before: found, after })
        return after
      })
    },

    async findStage(tenant, skill, idOrName) {
      const column = isId('stage', idOrName) ? 'id' : 'name'
      const [row] = await db.query<StageRow>(
        `SELECT * FROM stages WHERE ${column} = ? AND skill = ? AND tenant = ?`,
        idOrName,
        skill,
        tenant,
      )
      return row === undefined ? null : toStage(row)
    },

    async findServed(tenant, skill, stage) {
      const [row] = await db.recall<{ skill: string; stage: string | null; deployment: string | null }>(
        `SELECT skills.name AS skill, stages.name AS stage, stages.deployment FROM skills
         LEFT JOIN stages ON stages.skill = skills.id AND stages.${isId('stage', stage) ? 'id' : 'name'} = ?
         WHERE skills.${isId('skill', skill) ? 'id' : 'name'} = ? AND skills.tenant = ? AND skills.deleted_at IS NULL`,
        stage,
        skill,
        tenant,
      )
      if (row === undefined) return null
      const { stage: name, deployment } = row
      return { skill: row.skill, stage: name === null ? null : { name, deployment } }
    },

    async listStages(tenant, skill) {
      const rows = await db.query<StageRow>(
        'SELECT * FROM stages WHERE skill = ? AND tenant = ? ORDER BY name',
        skill,
        tenant,
      )
      return rows.map(toStage)
    },

    async deleteStage(tenant, id, note) {
      let live: string[] = []
      const deleted = await db.tx(async (t) => {
        const [gone] = await t.query<StageRow>('DELETE FROM stages WHERE id = ? AND tenant = ? RETURNING *', id, tenant)
        if (gone === undefined) return false
        await t.query(`UPDATE uploads SET state = 'expired' WHERE stage = ? AND state = 'pending'`, id)
        await t.query('DELETE FROM activations WHERE stage = ?', id)
        await endWebhooksOf(t, 'stage', id)
        await t.query('DELETE FROM schedules WHERE stage = ?', id)
        live = await liveRunsOf(t, { tenant, column: 'stage', id })
        await writeAudit(t, note, { before: toStage(gone) })
        return true
      })
      await cancelRuns(db, watchers, live)
      if (deleted) await cancelWaiting(db, id, 'deleted')
      return deleted
    },
  }
}

/** Null when there is one of that name already. @throws SkilletError not_found when the tenant has no such skill. */
async function insertStage(
  t: Transaction,
  tenant: string,
  skill: string,
  name: string,
  config: string,
): Promise<Stage | null> {
  const [owner] = await t.query(
    'SELECT id FROM skills WHERE id = ? AND tenant = ? AND deleted_at IS NULL',
    skill,
    tenant,
  )
  if (owner === undefined) throw notFound('skill', skill)
  const at = now()
  const [row] = await t.query<StageRow>(
    `INSERT INTO stages (id, tenant, skill, name, state, config, upload, deployment, revision, created_at, updated_at)
     VALUES (?, ?, ?, ?, 'empty', ?, NULL, NULL, 1, ?, ?) ON CONFLICT (skill, name) DO NOTHING RETURNING *`,
    newId('stage'),
    tenant,
    skill,
    name,
    config,
    at,
    at,
  )
  return row === undefined ? null : toStage(row)
}

async function stageNamed(t: Transaction, skill: string, name: string): Promise<Stage> {
  const [row] = await t.query<StageRow>('SELECT * FROM stages WHERE skill = ? AND name = ?', skill, name)
  if (row === undefined) throw notFound('stage', name)
  return toStage(row)
}

function changed(name: string, expected: number, present: number | null): SkilletError {
  const is = present === null ? 'it is not there any more at that revision' : `it is at revision ${present}`
  return new SkilletError('stage_changed', `Stage "${name}" was expected at revision ${expected}; ${is}.`, {
    data: present === null ? {} : { revision: present },
  })
}
