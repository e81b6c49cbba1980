import { SkilletError, notFound } from '../../model/errors.ts'
import type { Skill } from '../../model/skills.ts'
import type { Transaction } from './database.ts'

export const SKILL = 'id, tenant, name, description, display_name, created_at, updated_at'

/** @throws SkilletError name_taken */
export async function insertSkill(t: Transaction, skill: Skill): Promise<void> {
  const [made] = await t.query(
    `INSERT INTO skills (${SKILL}) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    skill.id,
    skill.tenant,
    skill.name,
    skill.description,
    skill.display_name,
    skill.created_at,
    skill.updated_at,
  )
  if (made === undefined) throw new SkilletError('name_taken', `There is a skill named "${skill.name}" already.`)
}

/** Within a transaction that changes it: nobody else may in between. Null: there is none. */
export async function readSkill(t: Transaction, tenant: string, id: string): Promise<Skill | null> {
  const [row] = await t.query<Skill>(
    `UPDATE skills SET updated_at = updated_at WHERE id = ? AND tenant = ? AND deleted_at IS NULL RETURNING ${SKILL}`,
    id,
    tenant,
  )
  return row === undefined ? null : { ...row }
}

/** @throws SkilletError not_found */
export async function updateSkill(t: Transaction, { id, tenant, description, display_name }: Skill): Promise<void> {
  const [found] = await t.query(
    `UPDATE skills SET description = ?, display_name = ? WHERE id = ? AND tenant = ? AND deleted_at IS NULL RETURNING id`,
    description,
    display_name,
    id,
    tenant,
  )
  if (found === undefined) throw notFound('skill', id)
}
