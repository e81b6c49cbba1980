import { type Problem, SkilletError } from '../model/errors.ts'
import type { Finding, Package } from '../model/packages.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { Draft, Inspection } from './draft.ts'
import { createFindings } from './rules.ts'

/** What a SKILL.md without a handler takes (DESIGN 9): nothing, or one of its scripts to run. */
const SKILL_MD_INPUT = {
  type: 'object',
  properties: {
    script: {
      type: 'string',
      description: 'Path of a script of the skill to run. Default: none, the answer is the body.',
    },
    args: { type: 'array', items: { type: 'string' }, description: 'Arguments of the script.' },
    stdin: { type: 'string', description: 'Standard input of the script.' },
  },
  dependentRequired: { args: ['script'], stdin: ['script'] },
  additionalProperties: false,
}

export interface CompleteInterface {
  readonly findings: Finding[]
  readonly description: string
  readonly input_schema: Package['input_schema']
  readonly output_schema: Package['output_schema']
}

/** The interface of a package: what the manifest says, else what the code tells, else anything. Its schemas are checked. */
export async function completeDraft(
  draft: Draft,
  inspection: Inspection,
  schemas: Pick<SchemaValidator, 'checkSchema'>,
  tenant: string,
): Promise<CompleteInterface> {
  const findings = createFindings()
  const description = draft.description ?? inspection.description
  if (description === null) {
    findings.add('manifest.description', 'Neither the manifest nor the docstring of the handler describes the skill.')
  }
  const fallback = draft.format === 'skill-md' ? SKILL_MD_INPUT : { type: 'object' }
  const input = draft.input_schema ?? inspection.input_schema ?? fallback
  const output = draft.output_schema ?? inspection.output_schema
  const from = draft.declared_at
  if (draft.format !== 'skill-md' && input === fallback) {
    findings.add('manifest.schema_missing', 'No input schema is declared, and the code tells none.', from?.file)
  }
  for (const [name, schema, line] of [
    ['input', input, draft.input_schema === null ? undefined : from?.input_line],
    ['output', output, draft.output_schema === null ? undefined : from?.output_line],
  ] as const) {
    if (schema === null) continue
    for (const { pointer, message } of await problemsOf(schema, schemas, tenant)) {
      const file = line === undefined ? draft.entry : from?.file
      findings.add('manifest.schema', `The ${name} schema at "${pointer}": ${message}`, file, line)
    }
  }
  return { findings: findings.list(), description: description ?? '', input_schema: input, output_schema: output }
}

/** A schema that takes too long to be checked is at fault itself. */
async function problemsOf(
  schema: object,
  schemas: Pick<SchemaValidator, 'checkSchema'>,
  tenant: string,
): Promise<readonly Problem[]> {
  try {
    return await schemas.checkSchema(schema, tenant)
  } catch (error) {
    if (!(error instanceof SkilletError)) throw error
    return [{ pointer: '', message: error.message }]
  }
}
