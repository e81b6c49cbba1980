import type { Stage } from '../model/skills.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { DeploymentCache } from './deployment-cache.ts'
import { checkInput, checkSize } from './input-check.ts'

/**
 * Checks an input that is kept for later runs of a stage: against what it serves now, if it serves anything.
 * @throws SkilletError input_too_large, input_invalid with its problems, validation_timeout
 */
export function createStageInputCheck(parts: {
  readonly schemas: Pick<SchemaValidator, 'validate'>
  readonly deployments: DeploymentCache
}): (stage: Pick<Stage, 'tenant' | 'deployment'>, input: unknown) => Promise<void> {
  const { schemas, deployments } = parts
  return async ({ tenant, deployment }, input) => {
    if (deployment === null) await checkSize(input)
    else await checkInput(schemas, await deployments.get(tenant, deployment), input)
  }
}
