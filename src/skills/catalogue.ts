import type { Engine, Page, PageOptions } from '../backends/ports.ts'
import type { Principal } from '../model/access.ts'
import { notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Skill } from '../model/skills.ts'
import type { StageListener } from './listener.ts'
import type { Lookup } from './lookup.ts'

export interface Catalogue {
  /** @throws SkilletError name_taken */
  create(principal: Principal, skill: { name: string; description: string }): Promise<Skill>
  find(tenant: string, idOrName: string): Promise<Skill>
  list(tenant: string, page: PageOptions): Promise<Page<Skill>>
  describe(tenant: string, idOrName: string, description: string): Promise<Skill>
  /** Its stages go with it and its queued runs are cancelled; run records stay. */
  remove(tenant: string, idOrName: string): Promise<void>
}

export function createCatalogue(parts: { engine: Engine; lookup: Lookup; listener: StageListener }): Catalogue {
  const { engine, lookup, listener } = parts
  return {
    async create(principal, { name, description }) {
      const at = now()
      const skill: Skill = {
        id: newId('skill'),
        tenant: principal.tenant,
        name,
        description,
        created_at: at,
        updated_at: at,
      }
      await engine.skills.createSkill(skill)
      return skill
    },

    find: (tenant, idOrName) => lookup.skill(tenant, idOrName),
    list: (tenant, page) => engine.skills.listSkills(tenant, page),

    async describe(tenant, idOrName, description) {
      const { id } = await lookup.skill(tenant, idOrName)
      const changed = await engine.skills.updateSkill(tenant, id, { description })
      if (changed === null) throw notFound('skill', idOrName)
      return changed
    },

    async remove(tenant, idOrName) {
      const { id } = await lookup.skill(tenant, idOrName)
      const stages = await engine.skills.listStages(tenant, id)
      if (!(await engine.skills.deleteSkill(tenant, id))) throw notFound('skill', idOrName)
      for (const { deployment } of stages) if (deployment !== null) listener.retired(deployment)
    },
  }
}
