import { SkilletError } from '../model/errors.ts'
import { jsonText } from '../model/written-json.ts'
import { sharedTurn } from '../model/shared-turn.ts'
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
  { input_schema: schema, tenant }: Pick<Deployment, 'input_schema' | 'tenant'>,
  input: unknown,
): Promise<void> {
  await checkSize(input)
  const problems = await schemas.validate(schema, input, tenant)
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
export async function checkSize(input: unknown): Promise<void> {
  if (surelyFits(input)) return
  await sharedTurn()
  const bytes = Buffer.byteLength(jsonText(input))
  if (bytes <= LIMITS.inputBytes) return
  throw new SkilletError(
    'input_too_large',
    `The input has ${bytes} bytes as JSON; at most ${LIMITS.inputBytes} are taken.`,
  )
}

/** Looks at lengths alone, and no further than up to where it might be too much. */
function surelyFits(input: unknown): boolean {
  let room: number = LIMITS.inputBytes
  const rest: object[] = []
  const take = (value: unknown): void => {
    if (typeof value === 'string') room -= mostBytes(value)
    else if (typeof value !== 'object' || value === null) room -= LONGEST_NUMBER
    else rest.push(value)
  }
  take(input)
  while (rest.length > 0 && room >= 0) {
    const value = rest.pop()!
    room -= 2
    if (Array.isArray(value)) {
      room -= value.length
      for (let i = 0; i < value.length && room >= 0; i++) take(value[i])
    } else {
      // Not by entries: a list of the members takes longer to make than to go through. What JSON.parse makes inherits nothing enumerable.
      for (const key in value) {
        room -= mostBytes(key) + 2
        take((value as Record<string, unknown>)[key])
        if (room < 0) break
      }
    }
  }
  return room >= 0
}

/** Of a string as JSON: a UTF-16 code unit may be written as \u0000. */
const mostBytes = (text: string): number => 6 * text.length + 2
const LONGEST_NUMBER = 25
