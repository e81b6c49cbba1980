import type { Engine } from '../backends/ports.ts'
import type { Deployment } from '../model/skills.ts'

/** What a SKILL.md answers when it is invoked without a script: level 2 of progressive disclosure, and what level 3 holds. */
interface SkillDocument {
  readonly name: string
  readonly description: string
  readonly body: string
  /** Where the files stand for a script of the skill. */
  readonly directory: '/skill'
  readonly files: readonly { path: string; size: number }[]
}

/** Null when the run has to be executed in a sandbox. DESIGN 9: no sandbox for reading. */
export async function readSkillMd(
  engine: Engine,
  deployment: Deployment,
  input: unknown,
): Promise<SkillDocument | null> {
  if (deployment.handler.kind !== 'skill-md' || namesScript(input)) return null
  const found = await engine.skills.findPackage(deployment.tenant, deployment.digest)
  if (found?.skill_md == null) throw new Error(`Package ${deployment.digest} of a SKILL.md deployment has no SKILL.md.`)
  return {
    name: found.name,
    description: found.description,
    body: found.skill_md.body,
    directory: '/skill',
    files: found.files.map(({ path, size }) => ({ path, size })),
  }
}

function namesScript(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'script' in input && input.script != null
}
