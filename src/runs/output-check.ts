import { SkilletError } from '../model/errors.ts'
import type { Redactor } from '../runtime/driver.ts'
import type { SchemaValidator } from '../schemas/validator.ts'

/**
 * @param redactor Hides secrets in the complaint, which quotes the output. Null where there are none.
 * @returns Why the output is not what the frozen schema says, for people; null when it is.
 */
export async function outputComplaint(
  schemas: Pick<SchemaValidator, 'validateText'>,
  result: Result,
  redactor: Redactor | null,
): Promise<string | null> {
  const complaint = await complain(schemas, result)
  return complaint === null || redactor === null ? complaint : withoutSecrets(complaint, redactor)
}

/** What a run gave, as JSON text, what it was to be, and whose it is. */
interface Result {
  readonly output: string
  readonly schema: object
  readonly tenant: string
}

async function complain(
  schemas: Pick<SchemaValidator, 'validateText'>,
  { output, schema, tenant }: Result,
): Promise<string | null> {
  try {
    const problems = await schemas.validateText(schema, output, tenant)
    if (problems.length === 0) return null
    const shown = problems.slice(0, 5).map(({ pointer, message }) => `${pointer || '/'}: ${message}`)
    const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : ''
    return `The result does not match the stage's output schema: ${shown.join('; ')}${more}`
  } catch (error) {
    if (error instanceof SkilletError) return error.message
    throw error
  }
}

/** A complaint quotes names and values of the result, long ones up to an ellipsis. */
function withoutSecrets(complaint: string, redactor: Redactor): string {
  const pieces = redactor.redact(complaint).split('…')
  return pieces.map((piece) => redactor.redactPiece(piece)).join('…')
}
