import type { Engine } from '../backends/ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Skill } from '../model/skills.ts'
import type { StageListener } from './listener.ts'
import type { Lookup } from './lookup.ts'

export interface Catalogue {
  /** @throws SkilletError name_taken */
  create(caller: Caller, skill: { name: string; description: string }): Promise<Skill>
  find(tenant: string, idOrName: string): Promise<Skill>
  /** @param page.only Ids; undefined: all. */
  list(tenant: string, page: PageOptions & { only?: readonly string[] | undefined }): Promise<Page<Skill>>
  describe(caller: Caller, idOrName: string, description: string): Promise<Skill>
  /** Its stages go with it and its queued runs are cancelled; run records stay. */
  remove(caller: Caller, idOrName: string): Promise<void>
}

export function createCatalogue(parts: { engine: Engine; lookup: Lookup; listener: StageListener }): Catalogue {
  const { engine, lookup, listener } = parts
  return {
    async create(caller, { name, description }) {
      const at = now()
      const skill: Skill = {
        id: newId('skill'),
        tenant: caller.tenant,
        name,
        description,
        display_name: null,
        created_at: at,
        updated_at: at,
      }
      await engine.skills.createSkill(skill, noteOf(caller, 'skill.create', { kind: 'skill', id: skill.id }, { name }))
      return skill
    },

    find: (tenant, idOrName) => lookup.skill(tenant, idOrName),
    list: (tenant, page) => engine.skills.listSkills(tenant, page),

    async describe(caller, idOrName, description) {
      const { id } = await lookup.skill(caller.tenant, idOrName)
      const note = noteOf(caller, 'skill.update', { kind: 'skill', id })
      const changed = await engine.skills.updateSkill(caller.tenant, id, { description }, note)
      if (changed === null) throw notFound('skill', idOrName)
      return changed
    },

    async remove({ tenant, ...rest }, idOrName) {
      const { id, name } = await lookup.skill(tenant, idOrName)
      const stages = await engine.skills.listStages(tenant, id)
      const note = noteOf({ tenant, ...rest }, 'skill.delete', { kind: 'skill', id }, { name })
      if (!(await engine.skills.deleteSkill(tenant, id, note))) throw notFound('skill', idOrName)
      for (const { deployment } of stages) if (deployment !== null) listener.retired(deployment)
    },
  }
}
