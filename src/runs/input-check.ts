import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Deployment } from '../model/skills.ts'
import type { SchemaValidator } from '../schemas/validator.ts'

/**
 * What every input passes before there is a run.
 * @param input As `JSON.parse` makes it, nested no deeper than LIMITS.valueDepth.
 * @throws SkilletError input_too_large, input_invalid with its problems, validation_timeout
 */
export async function checkInput(
  schemas: Pick<SchemaValidator, 'validate'>,
  { input_schema: schema }: Pick<Deployment, 'input_schema'>,
  input: unknown,
): Promise<void> {
  checkSize(input)
  const problems = await schemas.validate(schema, input)
  if (problems.length === 0) return
  throw new SkilletError(
    'input_invalid',
    `The input has ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}.`,
    { problems },
  )
}

/**
 * Only what may be too large is measured: writing megabytes as JSON takes a while.
 * @throws SkilletError input_too_large
 */
export function checkSize(input: unknown): void {
  if (surelyFits(input)) return
  const bytes = Buffer.byteLength(JSON.stringify(input))
  if (bytes <= LIMITS.inputBytes) return
  throw new SkilletError(
    'input_too_large',
    `The input has ${bytes} bytes as JSON; at most ${LIMITS.inputBytes} are taken.`,
  )
}

/** Looks at lengths alone, and no further than up to where it might be too much. */
function surelyFits(input: unknown): boolean {
  let room: number = LIMITS.inputBytes
  const rest: unknown[] = [input]
  while (rest.length > 0 && room >= 0) {
    const value = rest.pop()
    room -= 1
    if (typeof value === 'string') room -= mostBytes(value)
    else if (typeof value !== 'object' || value === null) room -= LONGEST_NUMBER
    else if (Array.isArray(value)) {
      room -= value.length + 2
      if (room < 0) return false
      // Not by spreading: there may be more of them than a call takes arguments.
      for (const one of value) rest.push(one)
    } else {
      room -= 2
      for (const [key, one] of Object.entries(value)) {
        room -= mostBytes(key) + 1
        rest.push(one)
      }
    }
  }
  return room >= 0
}

/** Of a string as JSON: a UTF-16 code unit may be written as \u0000. */
const mostBytes = (text: string): number => 6 * text.length + 2
const LONGEST_NUMBER = 25
