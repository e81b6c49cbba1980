import { isId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Skill } from '../../model/skills.ts'
import type { SkillStore } from '../ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { createDeploymentStore } from './deployment-store.ts'
import { forgetSkill } from './grant-store.ts'
import { oneOf, pageById } from './page.ts'
import { cancelRuns, liveRunsOf } from './run-cancelling.ts'
import { SKILL, insertSkill, readSkill } from './skill-keeping.ts'
import { createStageStore } from './stage-store.ts'
import { createUploadStore } from './upload-store.ts'
import type { Watchers } from './watchers.ts'
import { cancelWaiting, endWebhooksOf } from './webhook-ending.ts'

export function createSkillStore(db: Database, watchers: Watchers): SkillStore {
  return {
    ...createStageStore(db, watchers),
    ...createUploadStore(db),
    ...createDeploymentStore(db),

    createSkill(skill, note) {
      return db.tx(async (t) => {
        await insertSkill(t, skill)
        await writeAudit(t, note, { after: skill })
      })
    },

    async findSkill(tenant, idOrName) {
      const column = isId('skill', idOrName) ? 'id' : 'name'
      const [row] = await db.query<Skill>(
        `SELECT ${SKILL} FROM skills WHERE ${column} = ? AND tenant = ? AND deleted_at IS NULL`,
        idOrName,
        tenant,
      )
      return row === undefined ? null : { ...row }
    },

    listSkills(tenant, page) {
      const only = page.only === undefined ? '' : `AND ${oneOf('id', page.only)}`
      const select = `SELECT ${SKILL} FROM skills WHERE tenant = ? AND deleted_at IS NULL ${only}`
      return pageById(db, select, [tenant, ...(page.only ?? [])], page, (row: Skill) => ({ ...row }))
    },

    updateSkill(tenant, id, { description }, note) {
      return db.tx(async (t) => {
        const before = await readSkill(t, tenant, id)
        if (before === null) return null
        const after: Skill = { ...before, description, updated_at: now() }
        await t.query(
          'UPDATE skills SET description = ?, updated_at = ? WHERE id = ?',
          description,
          after.updated_at,
          id,
        )
        await writeAudit(t, note, { before, after })
        return after
      })
    },

    async deleteSkill(tenant, id, note) {
      let told: string[] = []
      let live: string[] = []
      const deleted = await db.tx(async (t) => {
        const before = await readSkill(t, tenant, id)
        if (before === null) return false
        await t.query('UPDATE skills SET deleted_at = ? WHERE id = ?', now(), id)
        await t.query(`UPDATE uploads SET state = 'expired' WHERE state = 'pending' AND stage IN (${STAGES})`, id)
        await t.query(`DELETE FROM activations WHERE stage IN (${STAGES})`, id)
        told = await endWebhooksOf(t, 'skill', id)
        await t.query(`DELETE FROM schedules WHERE stage IN (${STAGES})`, id)
        await t.query('DELETE FROM stages WHERE skill = ?', id)
        await forgetSkill(t, tenant, id)
        live = await liveRunsOf(t, { tenant, column: 'skill', id })
        await writeAudit(t, note, { before })
        return true
      })
      await cancelRuns(db, watchers, live)
      for (const stage of told) await cancelWaiting(db, stage, 'deleted')
      return deleted
    },
  }
}

const STAGES = 'SELECT id FROM stages WHERE skill = ?'
