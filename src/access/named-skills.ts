import type { Engine } from '../backends/ports.ts'
import { type Problem, SkilletError } from '../model/errors.ts'

/**
 * The skills that an owner names, by id or name, or `["*"]`.
 * @param pointer Where they were named.
 * @returns Ids, each once, in order. @throws SkilletError skill_unknown, which names all that is unknown at once
 */
export async function namedSkills(
  { skills }: Pick<Engine, 'skills'>,
  tenant: string,
  wanted: readonly string[],
  pointer: string,
): Promise<string[]> {
  if (wanted.length === 1 && wanted[0] === '*') return ['*']
  const ids = new Set<string>()
  const problems: Problem[] = []
  for (const [i, idOrName] of wanted.entries()) {
    const skill = await skills.findSkill(tenant, idOrName)
    if (skill !== null) ids.add(skill.id)
    else {
      const message = idOrName === '*' ? 'stands for all skills, and so alone' : `is no skill: "${idOrName}"`
      problems.push({ pointer: `${pointer}/${i}`, message })
    }
  }
  if (problems.length === 0) return [...ids].toSorted()
  throw new SkilletError('skill_unknown', `${problems.length} of the skills that were named are unknown.`, { problems })
}
