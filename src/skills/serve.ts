import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import { now } from '../model/json.ts'
import { AGENT_STAGE, type Deployment, Name, type Skill, type Stage, type Version } from '../model/skills.ts'
import type { Activate } from './activate.ts'
import { changeBetween } from './change.ts'
import { freeze } from './freeze.ts'
import type { Lookup } from './lookup.ts'
import { requireRevision } from './revision.ts'

export interface ServeTarget {
  /** Id or name. Default AGENT_STAGE. */
  readonly stage?: string
  /** Only if the stage has this one. */
  readonly revision?: number | undefined
}

/**
 * Serves a version that there is already on a stage, which is made when it is missing. One that it serves already goes on as it is.
 * @throws SkilletError not_found, stage_changed, secret_unknown
 */
export type Serve = (caller: Caller, skill: Skill, version: Version, target?: ServeTarget) => Promise<Deployment>

export function createServe(parts: { engine: Engine; lookup: Lookup; activate: Activate }): Serve {
  const { engine, lookup, activate } = parts

  async function make(caller: Caller, skill: Skill, name: string): Promise<Stage> {
    if (!Name.safeParse(name).success) throw notFound('stage', `${skill.name}/${name}`)
    const note = noteOf(caller, 'stage.put', { kind: 'stage', id: `${skill.id}/${name}` })
    return engine.skills.putStage(caller.tenant, skill.id, name, null, undefined, note)
  }

  return async (caller, skill, version, { stage: name = AGENT_STAGE, revision } = {}) => {
    const stage = (await engine.skills.findStage(caller.tenant, skill.id, name)) ?? (await make(caller, skill, name))
    requireRevision(stage, revision)
    const present = stage.deployment === null ? null : await lookup.active(stage)
    if (present?.digest === version.digest) return present
    const source = await lookup.package(caller.tenant, version.digest)
    const at = now()
    const deployment = freeze({
      stage,
      package: source,
      version: version.version,
      change_level: present === null ? 'patch' : changeBetween(present, source).change_level,
      promoted_from: null,
      by: caller.id,
      at,
    })
    await activate({ stage, deployment, kind: 'deploy', caller, at, upload: null })
    return deployment
  }
}
