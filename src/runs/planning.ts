import type { PlannedRun } from '../backends/flow-ports.ts'
import type { Engine } from '../backends/ports.ts'
import { SkilletError } from '../model/errors.ts'
import { derivedId } from '../model/ids.ts'
import type { Run } from '../model/runs.ts'
import type { Deployment } from '../model/skills.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { DeploymentCache } from './deployment-cache.ts'
import { checkInput } from './input-check.ts'
import { newRun, queueOf } from './new-run.ts'

export interface RunOrder {
  readonly tenant: string
  readonly skill: string
  /** Id. */
  readonly stage: string
  readonly input: unknown
  /** An instant, in UTC. */
  readonly scheduled_for: string
  readonly created_by: string
}

export interface Planner {
  /**
   * What a schedule begins now: what would refuse a caller becomes the reason why the run fails. A stage and an instant always give the same
   * id, so that no engine keeps a second run of them.
   */
  plan(order: RunOrder): Promise<PlannedRun>
}

export function createPlanner(parts: {
  engine: Pick<Engine, 'skills'>
  schemas: Pick<SchemaValidator, 'validate'>
  deployments: DeploymentCache
}): Planner {
  const { engine, schemas, deployments } = parts

  async function refusalOf(deployment: Deployment, input: unknown): Promise<PlannedRun['refusal']> {
    try {
      await checkInput(schemas, deployment, input)
      return null
    } catch (error) {
      if (!(error instanceof SkilletError)) throw error
      return { reason: 'input_invalid', error: { type: 'InputInvalid', message: messageOf(error) } }
    }
  }

  return {
    async plan({ tenant, skill, stage: stageId, input, scheduled_for, created_by }) {
      const stage = await engine.skills.findStage(tenant, skill, stageId)
      const id = derivedId('run', Date.parse(scheduled_for), stageId)
      const row = { id, tenant, skill, stage: stageId, input, created_by, scheduled_for, at: Date.now() }
      if (stage === null || stage.deployment === null) {
        const message = `${stage === null ? 'The stage' : `Stage "${stage.name}"`} served nothing when its schedule fired. Deploy to it.`
        const refusal = { reason: 'stage_not_active', error: { type: 'StageNotActive', message } } as const
        return { run: newRun({ ...row, deployment: null }), queue: 'default', refusal }
      }
      const deployment = await deployments.get(tenant, stage.deployment)
      const run: Run = newRun({ ...row, deployment })
      return { run, queue: queueOf(deployment), refusal: await refusalOf(deployment, input) }
    },
  }
}

/** With the places that are wrong, for there is nobody to answer with a list of them. */
function messageOf({ message, problems }: SkilletError): string {
  if (problems.length === 0) return message
  const shown = problems.slice(0, SHOWN).map((problem) => `${problem.pointer || '/'}: ${problem.message}`)
  const more = problems.length > SHOWN ? ` (and ${problems.length - SHOWN} more)` : ''
  return `The schedule's input does not match the stage's input schema: ${shown.join('; ')}${more}`
}

/** Problems that are named. */
const SHOWN = 5
