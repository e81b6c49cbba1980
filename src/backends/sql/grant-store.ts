import type { Grant } from '../../model/access.ts'
import { SkilletError } from '../../model/errors.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { AccessStore } from '../access-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries, Transaction } from './database.ts'
import { afterKey, rowsFor, toPage } from './page.ts'
import { json } from './rows.ts'

type GrantStore = Pick<AccessStore, 'createGrant' | 'findGrant' | 'listGrants' | 'deleteGrant' | 'grantsOf'>

export function createGrantStore(db: Database): GrantStore {
  return {
    createGrant(grant, note) {
      return db.tx(async (t) => {
        await requireRoom(t, grant)
        await t.query(
          `INSERT INTO grants (id, tenant, principal, stages, expires_at, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          grant.id,
          grant.tenant,
          grant.principal,
          json(grant.stages),
          grant.expires_at,
          grant.created_by,
          grant.created_at,
        )
        for (const skill of grant.allowed_skills) {
          await t.query('INSERT INTO grant_skills (grant_id, skill) VALUES (?, ?)', grant.id, skill)
        }
        await writeAudit(t, note, { after: grant })
      })
    },

    async findGrant(tenant, id) {
      const [grant] = await grantsWhere(db, 'id = ? AND tenant = ?', [id, tenant])
      return grant ?? null
    },

    async listGrants(tenant, filter) {
      const after = afterKey(filter)
      const { principal } = filter
      const grants = await grantsWhere(
        db,
        `tenant = ? ${principal === undefined ? '' : 'AND principal = ?'} ${after === null ? '' : 'AND id < ?'}
         ORDER BY id DESC LIMIT ${rowsFor(filter)}`,
        [tenant, ...(principal === undefined ? [] : [principal]), ...(after === null ? [] : [after])],
      )
      return toPage(
        grants,
        filter,
        ({ id }) => id,
        (grant) => grant,
      )
    },

    deleteGrant(tenant, id, note) {
      return db.tx(async (t) => {
        const [before] = await grantsWhere(t, 'id = ? AND tenant = ?', [id, tenant])
        if (before === undefined) return false
        await t.query('DELETE FROM grant_skills WHERE grant_id = ?', id)
        await t.query('DELETE FROM grants WHERE id = ?', id)
        await writeAudit(t, note, { before })
        return true
      })
    },

    grantsOf: (tenant, principal, at) =>
      grantsWhere(db, 'tenant = ? AND principal = ? AND (expires_at IS NULL OR expires_at > ?)', [
        tenant,
        principal,
        at,
      ]),
  }
}

/** @throws SkilletError grants_full */
async function requireRoom(t: Transaction, { tenant, principal, allowed_skills }: Grant): Promise<void> {
  const [named] = await t.query<{ n: number }>(
    `SELECT count(*) AS n FROM grants JOIN grant_skills ON grant_skills.grant_id = grants.id WHERE tenant = ? AND principal = ?`,
    tenant,
    principal,
  )
  const all = named!.n + allowed_skills.length
  if (all <= LIMITS.grantedSkills) return
  throw new SkilletError(
    'grants_full',
    `With this one the grants of ${principal} would name ${all} skills; at most ${LIMITS.grantedSkills} are possible, expired ones counted.`,
  )
}

/** Takes a deleted skill out of its tenant's grants. Those that named nothing else go with it. */
export async function forgetSkill(t: Transaction, tenant: string, skill: string): Promise<void> {
  await t.query('DELETE FROM grant_skills WHERE skill = ?', skill)
  await t.query(
    'DELETE FROM grants WHERE tenant = ? AND NOT EXISTS (SELECT 1 FROM grant_skills s WHERE s.grant_id = grants.id)',
    tenant,
  )
}

interface GrantRow extends Omit<Grant, 'allowed_skills' | 'stages'> {
  readonly stages: string | null
  readonly skill: string | null
}

/** Newest first, each with its skills in order. One statement, so that no grant is seen half. */
async function grantsWhere(from: Queries, where: string, values: string[]): Promise<Grant[]> {
  const rows = await from.query<GrantRow>(
    `SELECT g.*, s.skill FROM (SELECT * FROM grants WHERE ${where}) g LEFT JOIN grant_skills s ON s.grant_id = g.id
     ORDER BY g.id DESC, s.skill`,
    ...values,
  )
  const grants = new Map<string, Grant>()
  for (const { skill, stages, ...row } of rows) {
    const { id, tenant, principal, expires_at, created_by, created_at } = row
    let grant = grants.get(id)
    if (grant === undefined) {
      const only = stages === null ? null : (JSON.parse(stages) as string[])
      grant = { id, tenant, principal, allowed_skills: [], stages: only, expires_at, created_by, created_at }
      grants.set(id, grant)
    }
    if (skill !== null) grant.allowed_skills.push(skill)
  }
  return [...grants.values()]
}
