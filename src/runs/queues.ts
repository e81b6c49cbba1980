import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import type { Queues } from '../model/queues.ts'
import type { Stage } from '../model/skills.ts'

/** How a tenant's runs wait, and whether they do. What runs goes on running, and what is begun is taken in. */
export interface RunQueues {
  show(tenant: string): Promise<Queues>
  pauseTenant(caller: Caller, paused: boolean): Promise<Queues>
  /** By ids or names. @throws SkilletError not_found */
  pauseStage(caller: Caller, skill: string, stage: string, paused: boolean): Promise<Stage>
}

export function createRunQueues({ queues, skills }: Pick<Engine, 'queues' | 'skills'>): RunQueues {
  async function find(tenant: string, skillName: string, stageName: string): Promise<Stage> {
    const skill = await skills.findSkill(tenant, skillName)
    if (skill === null) throw notFound('skill', skillName)
    const stage = await skills.findStage(tenant, skill.id, stageName)
    if (stage === null) throw notFound('stage', `${skillName}/${stageName}`)
    return stage
  }

  return {
    show: (tenant) => queues.queues(tenant),

    async pauseTenant(caller, paused) {
      const { tenant } = caller
      await queues.setPaused(tenant, null, paused, noteOf(caller, verbOf(paused), { kind: 'tenant', id: tenant }))
      return queues.queues(tenant)
    },

    async pauseStage(caller, skill, name, paused) {
      const stage = await find(caller.tenant, skill, name)
      const note = noteOf(caller, verbOf(paused), { kind: 'stage', id: `${stage.skill}/${stage.name}` })
      await queues.setPaused(caller.tenant, stage.id, paused, note)
      return find(caller.tenant, stage.skill, stage.id)
    },
  }
}

const verbOf = (paused: boolean) => (paused ? 'queue.pause' : 'queue.resume')
