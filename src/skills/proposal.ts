import type { Engine } from '../backends/ports.ts'
import { SkilletError } from '../model/errors.ts'
import type { Package } from '../model/packages.ts'
import type { ChangeLevel, Deployment, Skill, Stage, Upload, Version } from '../model/skills.ts'
import { changeBetween } from './change.ts'
import type { Lookup } from './lookup.ts'
import { nextVersion } from './numbering.ts'
import type { DeployProposal, SchemaChange } from './shapes.ts'

/** All that a deploy decides by, read once. */
export interface Plan {
  readonly skill: Skill
  readonly stage: Stage
  readonly package: Package
  /** The upload that a deploy consumes. */
  readonly upload: Upload | null
  readonly present: Deployment | null
  /** The version that names the package already. */
  readonly version: Version | null
  readonly highest: string | null
  /** The smallest change level that is honest. */
  readonly change_level: ChangeLevel
  readonly changes: SchemaChange[]
}

export type Planner = (tenant: string, skill: string, stage: string) => Promise<Plan>

/** @throws SkilletError not_found, stage_not_ready, from the planner */
export function createPlanner(parts: { engine: Engine; lookup: Lookup }): Planner {
  const { engine, lookup } = parts
  return async (tenant, skillName, stageName) => {
    const { skill, stage } = await lookup.stage(tenant, skillName, stageName)
    const present = stage.deployment === null ? null : await lookup.active(stage)
    const upload = stage.upload === null ? null : await engine.skills.findUpload(tenant, stage.upload)
    const source = await lookup.package(tenant, digestToDeploy(stage, upload, present))
    return {
      skill,
      stage,
      package: source,
      upload,
      present,
      version: await engine.skills.findVersionOfDigest(tenant, skill.id, source.digest),
      highest: await engine.catalogue.highest(skill.id),
      ...(present === null ? NO_CHANGE : changeBetween(present, source)),
    }
  }
}

/** The plan as the owner is asked to confirm it. */
export function proposalOf(plan: Plan): DeployProposal {
  const { present, version, highest, change_level } = plan
  return {
    digest: plan.package.digest,
    upload: plan.upload?.id ?? null,
    version: version?.version ?? nextVersion({ highest, declared: plan.package.declared_version, change_level }),
    named: version !== null,
    change_level,
    changes: plan.changes,
    replaces: present === null ? null : { deployment: present.id, version: present.version },
    revision: plan.stage.revision,
  }
}

/** A stage that serves nothing has no callers to surprise. */
const NO_CHANGE: { change_level: ChangeLevel; changes: SchemaChange[] } = { change_level: 'patch', changes: [] }

/** The newest upload if there is one, which must be accepted; else what is served, to freeze a changed configuration. */
function digestToDeploy(stage: Stage, upload: Upload | null, present: Deployment | null): string {
  if (upload?.state === 'accepted' && upload.digest !== null) return upload.digest
  if (upload !== null) {
    throw new SkilletError('stage_not_ready', `The newest upload of stage "${stage.name}" is ${upload.state}.`, {
      data: { upload_id: upload.id, upload_state: upload.state, findings: upload.findings },
    })
  }
  if (present !== null) return present.digest
  throw new SkilletError('stage_not_ready', `Nothing was uploaded to stage "${stage.name}" yet.`)
}
