import type { Grant } from './access.ts'

/** What of a list a principal may see: what one of the grants covers and, if so said, only what it began itself. Null: everything. */
export interface Coverage {
  readonly grants: readonly Pick<Grant, 'allowed_skills' | 'stages'>[]
  readonly ownOnly: boolean
}

/** @param stage The name of a stage; null: the skill as a whole, with all its stages. */
export function covers(coverage: Coverage | null, skill: string, stage: string | null): boolean {
  if (coverage === null) return true
  return coverage.grants.some(
    ({ allowed_skills, stages }) =>
      allows(allowed_skills, skill) && (stages === null || (stage !== null && stages.includes(stage))),
  )
}

/** Whether it covers the skill or any stage of it. */
export function touches(coverage: Coverage | null, skill: string): boolean {
  return coverage === null || coverage.grants.some(({ allowed_skills }) => allows(allowed_skills, skill))
}

/** The skills that are covered or have a stage that is; undefined: all. */
export function skillsOf(coverage: Coverage | null): string[] | undefined {
  if (coverage === null) return undefined
  const ids = new Set(coverage.grants.flatMap(({ allowed_skills }) => allowed_skills))
  return ids.has(ALL) ? undefined : [...ids]
}

/** For each grant, the skills and stages whose runs it covers; null stands for all. Undefined: everything. */
export function placesOf(
  coverage: Coverage | null,
): { skills: readonly string[] | null; stages: readonly string[] | null }[] | undefined {
  return coverage?.grants.map(({ allowed_skills, stages }) => ({
    skills: allowed_skills.includes(ALL) ? null : allowed_skills,
    stages,
  }))
}

/** In `allowed_skills`: all of them, also later ones. */
const ALL = '*'

const allows = (allowed: readonly string[], skill: string): boolean => allowed.includes(ALL) || allowed.includes(skill)
