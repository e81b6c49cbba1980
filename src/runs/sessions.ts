import type { Engine } from '../backends/ports.ts'
import { type Caller, OPERATOR_TENANT } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import type { Flushed, SessionInfo } from '../model/sessions.ts'
import type { SessionPool } from '../runtime/session-pool.ts'

/** The sandboxes that are kept for a tenant's runs, on this server. */
export interface SessionsService {
  /** Those that serve a run first, then those used longest ago. @param may Which stages, by the id of the skill and the stage's name; null: all. */
  list(tenant: string, may: MayStage | null): Promise<SessionInfo[]>
  /** By ids or names. @throws SkilletError not_found */
  flushStage(caller: Caller, skill: string, stage: string): Promise<Flushed>
  flushTenant(caller: Caller, may: MayStage | null): Promise<Flushed>
  /** Those of all tenants. */
  flushAll(caller: Caller): Promise<Flushed>
}

export type MayStage = (skill: string, stage: string) => boolean

export function createSessionsService(parts: {
  engine: Pick<Engine, 'skills' | 'audit'>
  pool: Pick<SessionPool, 'list' | 'flush'>
}): SessionsService {
  const { pool } = parts
  const { skills, audit } = parts.engine

  /** Ids of the stages with sessions that may be seen. */
  async function stagesOf(tenant: string, may: MayStage): Promise<Set<string>> {
    const all = new Map(pool.list((one) => one.tenant === tenant).map(({ skill, stage }) => [stage, skill]))
    const seen = new Set<string>()
    for (const [id, skill] of all) {
      // Of a stage that has gone, only who may see all stages sees what is left.
      const name = (await skills.findStage(tenant, skill, id))?.name ?? ''
      if (may(skill, name)) seen.add(id)
    }
    return seen
  }

  return {
    async list(tenant, may) {
      const stages = may === null ? null : await stagesOf(tenant, may)
      return pool.list((one) => one.tenant === tenant && (stages === null || stages.has(one.stage)))
    },

    async flushStage(caller, skillName, stageName) {
      const skill = await skills.findSkill(caller.tenant, skillName)
      if (skill === null) throw notFound('skill', skillName)
      const stage = await skills.findStage(caller.tenant, skill.id, stageName)
      if (stage === null) throw notFound('stage', `${skillName}/${stageName}`)
      const target = { kind: 'stage', id: `${skill.id}/${stage.name}` }
      await audit.append(noteOf(caller, 'session.flush', target), 'done')
      return pool.flush((one) => one.tenant === caller.tenant && one.stage === stage.id)
    },

    async flushTenant(caller, may) {
      const { tenant } = caller
      const stages = may === null ? null : await stagesOf(tenant, may)
      await audit.append(noteOf(caller, 'session.flush', { kind: 'tenant', id: tenant }), 'done')
      return pool.flush((one) => one.tenant === tenant && (stages === null || stages.has(one.stage)))
    },

    async flushAll(caller) {
      const target = { kind: 'tenant', id: OPERATOR_TENANT.id }
      await audit.append(noteOf(caller, 'session.flush', target, { all_tenants: true }), 'done')
      return pool.flush(() => true)
    },
  }
}
