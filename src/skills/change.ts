import type { ChangeLevel, Deployment } from '../model/skills.ts'
import { compareSchemas } from '../schemas/diff.ts'
import type { SchemaChange } from './shapes.ts'

type WithSchemas = Pick<Deployment, 'input_schema' | 'output_schema'>

/** How large the step from one package or deployment to another is for callers. */
export function changeBetween(
  before: WithSchemas,
  after: WithSchemas,
): { change_level: ChangeLevel; changes: SchemaChange[] } {
  const { level, changes } = compareSchemas(
    { input: before.input_schema, output: before.output_schema },
    { input: after.input_schema, output: after.output_schema },
  )
  return { change_level: level, changes }
}
