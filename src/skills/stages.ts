import type { Engine } from '../backends/ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import type { Activation, Deployment, Stage, StageConfig } from '../model/skills.ts'
import { requireEnvironment } from './environment.ts'
import type { StageListener } from './listener.ts'
import type { Lookup } from './lookup.ts'

export interface Stages {
  list(tenant: string, skill: string): Promise<Stage[]>
  find(tenant: string, skill: string, stage: string): Promise<Stage>
  /**
   * Makes the stage or replaces its configuration; what is deployed stays as it was frozen.
   * @param config Its secrets by id or name; kept are their ids.
   * @param revision When given, only if that is the present one.
   * @throws SkilletError stage_changed, name_reserved, secret_unknown
   */
  put(caller: Caller, skill: string, name: string, config: StageConfig, revision?: number): Promise<Stage>
  remove(caller: Caller, skill: string, stage: string): Promise<void>
  /** Its pointer moves, newest first. */
  history(tenant: string, skill: string, stage: string, page: PageOptions): Promise<Page<Activation>>
  /** One frozen deployment of the stage, present or past; without a name the one it serves. */
  deployment(tenant: string, skill: string, stage: string, id?: string): Promise<Deployment>
}

/** Ids in place of names of secrets. @throws SkilletError secret_unknown with a pointer for each that there is not */
export type ReferToSecrets = (tenant: string, refs: Readonly<Record<string, string>>) => Promise<Record<string, string>>

export function createStages(parts: {
  engine: Engine
  lookup: Lookup
  listener: StageListener
  referToSecrets: ReferToSecrets
}): Stages {
  const { engine, lookup, listener, referToSecrets } = parts
  return {
    async list(tenant, skillName) {
      const skill = await lookup.skill(tenant, skillName)
      return engine.skills.listStages(tenant, skill.id)
    },

    async find(tenant, skillName, stageName) {
      return (await lookup.stage(tenant, skillName, stageName)).stage
    },

    async put(caller, skillName, name, config, revision) {
      requireEnvironment(config)
      const skill = await lookup.skill(caller.tenant, skillName)
      const { secret_refs: refs } = config
      const kept = refs === undefined ? config : { ...config, secret_refs: await referToSecrets(caller.tenant, refs) }
      const note = noteOf(caller, 'stage.put', { kind: 'stage', id: `${skill.id}/${name}` })
      return engine.skills.putStage(caller.tenant, skill.id, name, kept, revision, note)
    },

    async remove(caller, skillName, stageName) {
      const { stage } = await lookup.stage(caller.tenant, skillName, stageName)
      const note = noteOf(caller, 'stage.delete', { kind: 'stage', id: `${stage.skill}/${stage.name}` })
      if (!(await engine.skills.deleteStage(caller.tenant, stage.id, note)))
        throw notFound('stage', `${skillName}/${stageName}`)
      if (stage.deployment !== null) listener.retired(stage.deployment)
    },

    async history(tenant, skillName, stageName, page) {
      const { stage } = await lookup.stage(tenant, skillName, stageName)
      return engine.skills.listActivations(tenant, stage.id, page)
    },

    async deployment(tenant, skillName, stageName, id) {
      const { stage } = await lookup.stage(tenant, skillName, stageName)
      if (id === undefined) return lookup.active(stage)
      const found = await engine.skills.findDeployment(tenant, id)
      if (found === null || found.stage !== stage.id) throw notFound('deployment', id)
      return found
    },
  }
}
