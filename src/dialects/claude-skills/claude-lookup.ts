import type { Services } from '../../http/services.ts'
import { SkilletError, notFound } from '../../model/errors.ts'
import type { Version } from '../../model/skills.ts'
import type { AgentSkill } from '../../skills/agent-versions.ts'
import { type SkillCall, viewOf } from '../skill-api.ts'
import { ownSkillId, ownVersionId } from '../skill-ids.ts'
import { momentOf, sequencesOf } from './claude-shapes.ts'

/** What a path of this API names. Errors say it as the path did. */
export interface ClaudeLookup {
  /** @throws SkilletError not_found */
  skill(call: SkillCall): Promise<AgentSkill>
  /** @throws SkilletError not_found */
  version(call: SkillCall, skill: AgentSkill): Promise<Version>
}

export function createClaudeLookup({ agentVersions }: Pick<Services['skills'], 'agentVersions'>): ClaudeLookup {
  async function atMoment(call: SkillCall, skill: AgentSkill, sequences: readonly number[]): Promise<Version | null> {
    for (const sequence of sequences) {
      const version = await orNull(agentVersions.find(viewOf(call), skill, String(sequence)))
      if (version !== null && momentOf(version) === call.params['version']) return version
    }
    return null
  }

  return {
    async skill(call) {
      const id = call.params['id']!
      const skill = await orNull(agentVersions.skill(viewOf(call), ownSkillId(id)))
      if (skill === null) throw notFound('skill', id)
      return skill
    },

    async version(call, skill) {
      const name = call.params['version']!
      const sequences = sequencesOf(name, skill.latest)
      const version = await (sequences === null
        ? orNull(agentVersions.find(viewOf(call), skill, ownVersionId(name)))
        : atMoment(call, skill, sequences))
      if (version !== null) return version
      throw new SkilletError('not_found', `The skill "${call.params['id']}" has no version "${name}".`)
    },
  }
}

async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if (error instanceof SkilletError && error.code === 'not_found') return null
    throw error
  }
}
