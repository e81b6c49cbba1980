import type { Engine } from '../backends/ports.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import type { Package } from '../model/packages.ts'
import type { Deployment, Skill, Stage, Version } from '../model/skills.ts'
import { exactVersion, namedVersion } from './version-names.ts'

/** Looks things up by id or name, or refuses. Another tenant's things are as absent as those that never were. */
export interface Lookup {
  /** @throws SkilletError not_found */
  skill(tenant: string, idOrName: string): Promise<Skill>
  /** @throws SkilletError not_found */
  stage(tenant: string, skill: string, idOrName: string): Promise<{ skill: Skill; stage: Stage }>
  /** What the stage serves. @throws SkilletError stage_not_active */
  active(stage: Stage): Promise<Deployment>
  /** By any of its names (version-names.ts). @throws SkilletError not_found */
  version(skill: Skill, name: string): Promise<Version>
  /** Only by a name that is its own for ever. @throws SkilletError not_found, bad_request for one that moves on */
  exactVersion(skill: Skill, name: string): Promise<Version>
  /** What a stage served or serves, so that it must exist. */
  deployment(tenant: string, id: string): Promise<Deployment>
  /** The package of something that exists, so that it must exist too. */
  package(tenant: string, digest: string): Promise<Package>
}

export function createLookup(engine: Engine): Lookup {
  const { skills } = engine

  async function skill(tenant: string, idOrName: string): Promise<Skill> {
    const found = await skills.findSkill(tenant, idOrName)
    if (found === null) throw notFound('skill', idOrName)
    return found
  }

  const deployment = async (tenant: string, id: string): Promise<Deployment> =>
    existing('deployment', id, await skills.findDeployment(tenant, id))

  return {
    skill,

    async stage(tenant, skillName, idOrName) {
      const owner = await skill(tenant, skillName)
      const stage = await skills.findStage(tenant, owner.id, idOrName)
      if (stage === null) throw notFound('stage', `${owner.name}/${idOrName}`)
      return { skill: owner, stage }
    },

    async active(stage) {
      if (stage.deployment === null) {
        throw new SkilletError('stage_not_active', `Stage "${stage.name}" serves nothing yet.`)
      }
      return deployment(stage.tenant, stage.deployment)
    },

    deployment,

    async version(owner, name) {
      const found = await namedVersion(engine, owner, name)
      if (found === null) throw notFound('version', `${owner.name}@${name}`)
      return found
    },

    async exactVersion(owner, name) {
      const found = await exactVersion(engine, owner, name)
      if (found !== null) return found
      const now = await namedVersion(engine, owner, name)
      if (now === null) throw notFound('version', `${owner.name}@${name}`)
      // Whoever asks again because no answer came would mean another one.
      throw new SkilletError(
        'bad_request',
        `"${name}" is another version afterwards. Name the version by its number: ${now.version}.`,
      )
    },

    async package(tenant, digest) {
      return existing('package', digest, await skills.findPackage(tenant, digest))
    },
  }
}

/** For what another row refers to: the engine keeps such references whole, so absence is a fault of ours. */
function existing<T>(kind: string, id: string, found: T | null): T {
  if (found === null) throw new Error(`The ${kind} ${id} is referred to and missing.`)
  return found
}
