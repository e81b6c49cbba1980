import type { PackageSummary } from '../../model/catalogue.ts'
import type { Version } from '../../model/skills.ts'
import type { AgentSkill } from '../../skills/agent-versions.ts'
import { skillId, versionId } from '../skill-ids.ts'

/** What comes with the server has its name for an id. */
export const openaiSkillId = ({ provided, name, id }: AgentSkill): string => (provided ? name : skillId(id))

export function openaiSkill(skill: AgentSkill): { readonly id: string } {
  const { name, description, served, latest, created_at } = skill
  return {
    id: openaiSkillId(skill),
    object: 'skill',
    created_at: seconds(created_at),
    name,
    description,
    default_version: served && String(served.sequence),
    latest_version: latest && String(latest.sequence),
  } as { id: string }
}

export function openaiVersion(
  skill: AgentSkill,
  version: Version,
  { description }: Pick<PackageSummary, 'description'>,
): { readonly id: string } {
  const { id, sequence, created_at } = version
  return {
    id: versionId(id, 'skillver_'),
    object: 'skill.version',
    skill_id: openaiSkillId(skill),
    version: String(sequence),
    name: skill.name,
    description,
    created_at: seconds(created_at),
  } as { id: string }
}

export function openaiList(data: readonly { readonly id: string }[], hasMore: boolean): object {
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore }
}

const seconds = (instant: string): number => Math.floor(Date.parse(instant) / 1000)
