import { SkilletError } from '../../model/errors.ts'
import { isId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Skill } from '../../model/skills.ts'
import type { SkillStore } from '../ports.ts'
import type { Database } from './database.ts'
import { createDeploymentStore } from './deployment-store.ts'
import { forgetSkill } from './grant-store.ts'
import { afterKey, oneOf, rowsFor, toPage } from './page.ts'
import { endRunsOf } from './run-ending.ts'
import { createStageStore } from './stage-store.ts'
import { createUploadStore } from './upload-store.ts'
import type { Watchers } from './watchers.ts'

const COLUMNS = 'id, tenant, name, description, created_at, updated_at'

export function createSkillStore(db: Database, watchers: Watchers): SkillStore {
  return {
    ...createStageStore(db, watchers),
    ...createUploadStore(db),
    ...createDeploymentStore(db),

    async createSkill(skill) {
      const [made] = await db.tx((t) =>
        t.query(
          `INSERT INTO skills (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (tenant, name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
          skill.id,
          skill.tenant,
          skill.name,
          skill.description,
          skill.created_at,
          skill.updated_at,
        ),
      )
      if (made === undefined) throw new SkilletError('name_taken', `There is a skill named "${skill.name}" already.`)
    },

    async findSkill(tenant, idOrName) {
      const column = isId('skill', idOrName) ? 'id' : 'name'
      const [row] = await db.query<Skill>(
        `SELECT ${COLUMNS} FROM skills WHERE ${column} = ? AND tenant = ? AND deleted_at IS NULL`,
        idOrName,
        tenant,
      )
      return row === undefined ? null : { ...row }
    },

    async listSkills(tenant, page) {
      const after = afterKey(page)
      const only = page.only === undefined ? null : oneOf('id', page.only)
      const rows = await db.query<Skill>(
        `SELECT ${COLUMNS} FROM skills WHERE tenant = ? AND deleted_at IS NULL ${after === null ? '' : 'AND id < ?'}
         ${only === null ? '' : `AND ${only}`} ORDER BY id DESC LIMIT ${rowsFor(page)}`,
        tenant,
        ...(after === null ? [] : [after]),
        ...(page.only ?? []),
      )
      return toPage(
        rows,
        page,
        ({ id }) => id,
        (row) => ({ ...row }),
      )
    },

    async updateSkill(tenant, id, { description }) {
      const [row] = await db.tx((t) =>
        t.query<Skill>(
          `UPDATE skills SET description = ?, updated_at = ? WHERE id = ? AND tenant = ? AND deleted_at IS NULL
           RETURNING ${COLUMNS}`,
          description,
          now(),
          id,
          tenant,
        ),
      )
      return row === undefined ? null : { ...row }
    },

    deleteSkill(tenant, id) {
      return db.tx(async (t) => {
        const [gone] = await t.query(
          'UPDATE skills SET deleted_at = ? WHERE id = ? AND tenant = ? AND deleted_at IS NULL RETURNING id',
          now(),
          id,
          tenant,
        )
        if (gone === undefined) return false
        await t.query(`UPDATE uploads SET state = 'expired' WHERE state = 'pending' AND stage IN (${STAGES})`, id)
        await t.query(`DELETE FROM activations WHERE stage IN (${STAGES})`, id)
        await t.query('DELETE FROM stages WHERE skill = ?', id)
        await forgetSkill(t, tenant, id)
        await endRunsOf(t, watchers, { tenant, column: 'skill', id })
        return true
      })
    },
  }
}

const STAGES = 'SELECT id FROM stages WHERE skill = ?'
