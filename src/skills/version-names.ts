import type { Engine } from '../backends/ports.ts'
import type { Skill, Version } from '../model/skills.ts'

interface Stores {
  readonly skills: Pick<Engine['skills'], 'findVersion' | 'findStage' | 'findDeployment'>
  readonly catalogue: Pick<Engine['catalogue'], 'versionAt' | 'versions'>
}
type Owner = Pick<Skill, 'tenant' | 'id'>

/** By a name that is its own for ever: an id, a semver, or which one of the skill it is. */
export async function exactVersion({ skills, catalogue }: Stores, { tenant, id }: Owner, name: string) {
  if (/^\d{1,9}$/.test(name)) return catalogue.versionAt(tenant, id, Number(name))
  return skills.findVersion(tenant, id, name)
}

/** By such a name, or by one that moves on: `latest`, which is the newest, or that of a stage, which is what it serves. */
export async function namedVersion(stores: Stores, owner: Owner, name: string): Promise<Version | null> {
  const { skills, catalogue } = stores
  const { tenant, id } = owner
  if (name === 'latest') return (await catalogue.versions(tenant, id, { limit: 1 })).items[0] ?? null
  const exact = await exactVersion(stores, owner, name)
  if (exact !== null) return exact
  const stage = await skills.findStage(tenant, id, name)
  if (stage === null || stage.deployment === null) return null
  const deployment = await skills.findDeployment(tenant, stage.deployment)
  return deployment === null ? null : skills.findVersion(tenant, id, deployment.version)
}
