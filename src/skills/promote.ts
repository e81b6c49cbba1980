import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError } from '../model/errors.ts'
import { now } from '../model/json.ts'
import type { Deployment } from '../model/skills.ts'
import type { Activate } from './activate.ts'
import { freeze } from './freeze.ts'
import type { Lookup } from './lookup.ts'
import { requireRevision } from './revision.ts'
import type { PromoteRequest } from './shapes.ts'

export type Promote = (caller: Caller, skill: string, from: string, request: PromoteRequest) => Promise<Deployment>

/**
 * Serves what one stage serves on another too: the same version and build, with the other stage's own configuration.
 * An upload that waits on the other stage stays there.
 * @throws SkilletError not_found, stage_not_active, stage_changed, bad_request
 */
export function createPromote(parts: { engine: Engine; lookup: Lookup; activate: Activate }): Promote {
  const { engine, lookup, activate } = parts
  return async (caller, skillName, from, { to, revision }) => {
    const { skill, stage: source } = await lookup.stage(caller.tenant, skillName, from)
    if (source.name === to) throw new SkilletError('bad_request', `Stage "${to}" cannot be promoted to itself.`)
    const promoted = await lookup.active(source)
    const note = noteOf(caller, 'stage.put', { kind: 'stage', id: `${skill.id}/${to}` })
    const target =
      (await engine.skills.findStage(caller.tenant, skill.id, to)) ??
      (await engine.skills.putStage(caller.tenant, skill.id, to, null, undefined, note))
    requireRevision(target, revision)
    const at = now()
    const deployment = freeze({
      stage: target,
      package: await lookup.package(caller.tenant, promoted.digest),
      version: promoted.version,
      change_level: promoted.change_level,
      promoted_from: promoted.id,
      by: caller.id,
      at,
    })
    await activate({ stage: target, deployment, kind: 'promote', caller, at, upload: null })
    return deployment
  }
}
