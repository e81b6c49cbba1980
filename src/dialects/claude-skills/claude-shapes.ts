import type { PackageSummary, VersionRef } from '../../model/catalogue.ts'
import type { Version } from '../../model/skills.ts'
import type { AgentSkill } from '../../skills/agent-versions.ts'
import { skillId, versionId } from '../skill-ids.ts'
import type { SkillCall } from '../skill-api.ts'

/** Which of the two shapes is asked for: nothing but this header decides. */
export function isBeta({ header }: Pick<SkillCall, 'header'>): boolean {
  const betas = header('anthropic-beta') ?? ''
  return betas.split(',').some((one) => one.trim() === 'skills-2025-10-02')
}

/** What comes with the server has its name for an id, as the pre-built skills of that API have. */
export const claudeSkillId = ({ provided, name, id }: AgentSkill): string => (provided ? name : skillId(id))

export function claudeSkill(skill: AgentSkill, beta: boolean): object {
  const { display_name, latest, provided, created_at, updated_at } = skill
  const source = provided ? 'anthropic' : 'custom'
  const common = { id: claudeSkillId(skill), type: 'skill', created_at, updated_at }
  if (beta) {
    return { ...common, display_title: display_name, latest_version: latest && momentOf(latest), source }
  }
  const latest_version_id = latest && versionId(latest.id, 'skver_')
  return { ...common, display_name: display_name ?? skill.name, latest_version_id, source: { type: source } }
}

export function claudeVersion(
  skill: AgentSkill,
  version: Version,
  { description }: Pick<PackageSummary, 'description'>,
  beta: boolean,
): object {
  const { name } = skill
  const common = {
    type: 'skill_version',
    skill_id: claudeSkillId(skill),
    name,
    description,
    created_at: version.created_at,
  }
  return beta
    ? { id: versionId(version.id, 'skillver_'), ...common, version: momentOf(version), directory: name }
    : { id: versionId(version.id, 'skver_'), ...common }
}

/** What a version was called before it had an id: the microsecond in which it was made. Its last digits tell versions of one millisecond apart. */
export function momentOf({ created_at, sequence }: Pick<VersionRef, 'created_at' | 'sequence'>): string {
  return String(Date.parse(created_at) * 1000 + (sequence % 1000))
}

/** @returns Which versions such a number may mean, by their sequences; null: it is no such number. */
export function sequencesOf(moment: string, latest: Pick<VersionRef, 'sequence'> | null): number[] | null {
  if (!/^\d{16}$/.test(moment)) return null
  const found: number[] = []
  for (let at = Number(moment.slice(-3)); at <= (latest?.sequence ?? 0); at += 1000) if (at > 0) found.push(at)
  return found
}
