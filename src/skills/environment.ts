import type { ErrorCode } from '../model/error-catalogue.ts'
import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import type { StageConfig } from '../model/skills.ts'
import { isReservedEnv } from '../runtime/reserved-env.ts'

/**
 * Refuses variables that a stage may not set, with a pointer for each. Reserved names are stripped again when a run is executed.
 * @throws SkilletError name_reserved; bad_request for names that are both plain and secret, for values with NUL, and for too many
 */
export function requireEnvironment({ env = {}, secret_refs: refs = {} }: StageConfig): void {
  const plain = Object.keys(env).map((name) => ({ name, pointer: `/config/env/${name}` }))
  const secret = Object.keys(refs).map((name) => ({ name, pointer: `/config/secret_refs/${name}` }))
  const reserved = [...plain, ...secret].filter(({ name }) => isReservedEnv(name))
  refuse('name_reserved', reserved, 'is a reserved name')
  refuse(
    'bad_request',
    secret.filter(({ name }) => Object.hasOwn(env, name)),
    'is in env, too',
  )
  refuse(
    'bad_request',
    plain.filter(({ name }) => env[name]!.includes('\0')),
    'has a value with a NUL, which no variable can',
  )
  if (secret.length > LIMITS.secretRefs) {
    const pointer = '/config/secret_refs'
    refuse(
      'bad_request',
      [{ name: `secret_refs with ${secret.length} entries`, pointer }],
      `is more than ${LIMITS.secretRefs}`,
    )
  }
}

function refuse(code: ErrorCode, places: readonly { name: string; pointer: string }[], why: string): void {
  if (places.length === 0) return
  const problems = places.map(({ name, pointer }) => ({ pointer, message: `${name} ${why}` }))
  const [first] = problems
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
  throw new SkilletError(code, `${first!.message}${more}.`, { problems })
}
