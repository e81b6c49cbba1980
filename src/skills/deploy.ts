import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError } from '../model/errors.ts'
import { now } from '../model/json.ts'
import type { Deployment } from '../model/skills.ts'
import type { Activate } from './activate.ts'
import { freeze } from './freeze.ts'
import { nextVersion } from './numbering.ts'
import type { Plan, Planner } from './proposal.ts'
import type { DeployRequest } from './shapes.ts'

export type Deploy = (caller: Caller, skill: string, stage: string, request: DeployRequest) => Promise<Deployment>

/** Other stages of the skill may take the number that was computed: how often the next one is tried. */
const NUMBER_TRIES = 5

/**
 * Freezes the stage's accepted package and configuration into a deployment and serves it.
 * @throws SkilletError stage_not_ready, stage_changed, change_level_too_low, version_invalid, version_taken, not_found
 */
export function createDeploy(parts: { engine: Engine; plan: Planner; activate: Activate }): Deploy {
  const { engine, plan: planFor, activate } = parts

  async function once(caller: Caller, plan: Plan, request: DeployRequest): Promise<Deployment> {
    checkLevel(plan, request)
    const at = now()
    const version = await numberFor(caller.tenant, plan, request)
    const deployment = freeze({
      stage: plan.stage,
      package: plan.package,
      version,
      change_level: request.change_level,
      promoted_from: null,
      by: caller.id,
      at,
    })
    await activate({
      stage: plan.stage,
      deployment,
      kind: 'deploy',
      caller,
      at,
      upload: plan.upload?.id ?? null,
    })
    // A skill that was made without a description takes the package's: catalogues live on it.
    if (plan.skill.description === '') {
      const { id } = plan.skill
      const note = noteOf(caller, 'skill.update', { kind: 'skill', id })
      await engine.skills.updateSkill(caller.tenant, id, { description: plan.package.description }, note)
    }
    return deployment
  }

  async function numberFor(tenant: string, plan: Plan, request: DeployRequest): Promise<string> {
    const { skill, version: named } = plan
    if (named !== null) {
      if (request.version === undefined || request.version === named.version) return named.version
      throw new SkilletError(
        'version_invalid',
        `This package is version ${named.version} already and keeps that name.`,
        {
          data: { version: named.version },
        },
      )
    }
    if (request.version !== undefined) {
      const other = await engine.skills.findVersion(tenant, skill.id, request.version)
      if (other !== null) {
        throw new SkilletError('version_taken', `Version ${request.version} is the package ${other.digest}.`, {
          data: { highest: plan.highest },
        })
      }
    }
    return nextVersion({ ...request, highest: plan.highest, declared: plan.package.declared_version })
  }

  return async (caller, skill, stage, request) => {
    const first = await planFor(caller.tenant, skill, stage)
    const revision = request.revision ?? first.stage.revision
    for (let plan = first, tries = 1; ; tries++, plan = await planFor(caller.tenant, skill, stage)) {
      if (plan.stage.revision !== revision) throw changed(plan, revision)
      try {
        return await once(caller, plan, request)
      } catch (error) {
        const raced = error instanceof SkilletError && error.code === 'version_taken' && request.version === undefined
        if (!raced || tries === NUMBER_TRIES) throw error
      }
    }
  }
}

const ORDER = ['patch', 'minor', 'major'] as const

function checkLevel(
  { change_level: smallest, changes, stage }: Plan,
  { change_level: confirmed }: DeployRequest,
): void {
  if (ORDER.indexOf(confirmed) >= ORDER.indexOf(smallest)) return
  throw new SkilletError(
    'change_level_too_low',
    `The schemas changed against what stage "${stage.name}" serves: that is ${smallest}, and ${confirmed} was confirmed.`,
    { data: { change_level: smallest, changes } },
  )
}

function changed({ stage }: Plan, revision: number): SkilletError {
  return new SkilletError('stage_changed', `Stage "${stage.name}" has revision ${stage.revision}, not ${revision}.`, {
    data: { revision: stage.revision },
  })
}
