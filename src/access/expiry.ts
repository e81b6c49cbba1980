import { SkilletError } from '../model/errors.ts'
import { now } from '../model/json.ts'

/**
 * The instant in the form in which instants are stored and compared.
 * @throws SkilletError bad_request when it is not in the future: what is never in force is a mistake.
 */
export function futureInstant(instant: string | null): string | null {
  if (instant === null) return null
  const at = Date.parse(instant)
  if (at > Date.now()) return now(at)
  throw new SkilletError('bad_request', `The expiry ${instant} is not in the future.`, {
    problems: [{ pointer: '/expires_at', message: 'must be in the future' }],
  })
}
