import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts'
import type { SkilletError } from '../model/errors.ts'

/**
 * What went wrong and how to mend it, as the one text that errors of both Skills APIs have. What our own interface says of it may be
 * wrong there: they are not in its document, and take files themselves.
 * @param remedies What is done about it in one of the two, by code.
 */
export function errorText(error: SkilletError, remedies: Readonly<Partial<Record<ErrorCode, string>>> = {}): string {
  const { code, message, problems } = error
  const places = problems.map(({ pointer, message: text }) => `${pointer} ${text}`.trim()).join('; ')
  const remedy = SAID.has(code) ? '' : (remedies[code] ?? REMEDIES[code] ?? ERRORS[code].fix)
  return [message, places, remedy].filter((part) => part !== '').join(' ')
}

/** The message is about the request, and says what it has to be; or the findings say how to mend what they name. */
const SAID: ReadonlySet<ErrorCode> = new Set([
  'bad_request',
  'method_not_allowed',
  'package_rejected',
  'unsupported_media_type',
])

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  body_too_large: 'Leave out what the skill does not need.',
  name_taken: 'Choose another name, or add a version to that skill: paths take its name as well as its id.',
  unauthenticated: 'Send a key of a tenant as "Authorization: Bearer <key>".',
}
