import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { newId } from '../model/ids.ts'
import type { Activation, Deployment, Stage } from '../model/skills.ts'
import type { StageListener } from './listener.ts'

/** @throws SkilletError stage_changed, version_taken */
export type Activate = (move: {
  /** As it was read: the move happens only if it is still so. */
  readonly stage: Stage
  readonly deployment: Deployment
  readonly kind: Activation['kind']
  readonly caller: Caller
  readonly at: string
  readonly upload: string | null
}) => Promise<Stage>

/** The one way a stage's pointer moves: durable first, then told. */
export function createActivate(parts: { engine: Engine; listener: StageListener }): Activate {
  const { engine, listener } = parts
  return async ({ deployment, caller, ...move }) => {
    const { tenant, skill, version: number, digest } = deployment
    const version = (await engine.skills.findVersionOfDigest(tenant, skill, digest)) ?? {
      id: newId('version'),
      tenant,
      skill,
      version: number,
      digest,
      created_by: caller.id,
      created_at: move.at,
    }
    const target = { kind: 'stage', id: `${skill}/${move.stage.name}` }
    const detail = { deployment: deployment.id, version: version.version, from: move.stage.deployment }
    const note = noteOf(caller, `stage.${move.kind}`, target, detail)
    const stage = await engine.skills.activate({ ...move, by: caller.id, note, deployment, version })
    const previous = move.stage.deployment === deployment.id ? null : move.stage.deployment
    listener.activated({ stage, deployment, previous })
    return stage
  }
}
