import { SkilletError } from '../../model/errors.ts'
import { AGENT_STAGE, type Version } from '../../model/skills.ts'
import type { Queries } from './database.ts'

interface ServingStage {
  readonly id: string
  readonly name: string
  readonly deployment: string
}

/** Stages of the skill that serve the version: none, or AGENT_STAGE. @throws SkilletError version_in_use when others do */
export async function withdrawableFrom(
  from: Pick<Queries, 'query'>,
  { skill, version, digest }: Pick<Version, 'skill' | 'version' | 'digest'>,
): Promise<ServingStage[]> {
  const stages = await from.query<ServingStage>(
    `SELECT s.id, s.name, s.deployment FROM stages s JOIN deployments d ON d.id = s.deployment
     WHERE s.skill = ? AND d.digest = ?`,
    skill,
    digest,
  )
  const others = stages.filter(({ name }) => name !== AGENT_STAGE).map(({ name }) => name)
  if (others.length === 0) return stages
  throw new SkilletError(
    'version_in_use',
    `Version ${version} is what ${others.length === 1 ? 'stage' : 'stages'} ${others.map((name) => `"${name}"`).join(', ')} of the skill serve.`,
    { data: { stages: others } },
  )
}
