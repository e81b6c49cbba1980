import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { now } from '../model/json.ts'
import type { Activation, Deployment, Stage } from '../model/skills.ts'
import type { Activate } from './activate.ts'
import type { Lookup } from './lookup.ts'
import { requireRevision } from './revision.ts'
import type { RollbackRequest } from './shapes.ts'
import { namedVersion } from './version-names.ts'

export type Rollback = (caller: Caller, skill: string, stage: string, request: RollbackRequest) => Promise<Deployment>

/**
 * Points the stage at a deployment that it served before: nothing is built and nothing is lost.
 * @throws SkilletError not_found, nothing_to_roll_back, stage_changed
 */
export function createRollback(parts: { engine: Engine; lookup: Lookup; activate: Activate }): Rollback {
  const { engine, lookup, activate } = parts

  async function* history(stage: Stage): AsyncGenerator<Activation, undefined> {
    let cursor: string | undefined
    do {
      const page = await engine.skills.listActivations(stage.tenant, stage.id, { limit: 100, cursor })
      yield* page.items
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
  }

  return async (caller, skillName, stageName, { deployment: id, version: name, revision }) => {
    const { skill, stage } = await lookup.stage(caller.tenant, skillName, stageName)
    requireRevision(stage, revision)
    // A name that moves on is what it is now; of what was withdrawn the number is still in the history.
    const version = name === undefined ? undefined : ((await namedVersion(engine, skill, name))?.version ?? name)
    const named = id !== undefined || version !== undefined
    const target = named ? await findNamed(history(stage), { id, version }) : await findPrevious(history(stage))
    if (target === null && named) throw notFound('deployment in the history of this stage', (id ?? version)!)
    if (target === null || target === stage.deployment) {
      throw new SkilletError(
        'nothing_to_roll_back',
        target === null
          ? `Stage "${stage.name}" served nothing before.`
          : `Stage "${stage.name}" serves ${target} now.`,
      )
    }
    const deployment = await engine.skills.findDeployment(caller.tenant, target)
    if (deployment === null) throw new Error(`The deployment ${target} is in the history and missing.`)
    await activate({ stage, deployment, kind: 'rollback', caller, at: now(), upload: null })
    return deployment
  }
}

async function findNamed(
  newestFirst: AsyncIterable<Activation>,
  { id, version }: { id: string | undefined; version: string | undefined },
): Promise<string | null> {
  for await (const move of newestFirst) {
    if ((id === undefined || move.deployment === id) && (version === undefined || move.version === version)) {
      return move.deployment
    }
  }
  return null
}

/**
 * What was served before the present deployment came. Where the present one is itself the target of rollbacks, that is what was
 * served before it came first: so rolling back twice goes back two steps, not there and back.
 */
async function findPrevious(newestFirst: AsyncIterable<Activation>): Promise<string | null> {
  let present: string | null = null
  let arrived = false
  for await (const { deployment, kind } of newestFirst) {
    if (arrived) return deployment
    present ??= deployment
    arrived = deployment === present && kind !== 'rollback'
  }
  return null
}
