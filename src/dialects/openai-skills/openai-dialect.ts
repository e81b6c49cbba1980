import type { Dialect } from '../../http/route.ts'
import { ERRORS, type ErrorCode } from '../../model/error-catalogue.ts'
import { errorText } from '../skill-remedies.ts'

/** How the API of OpenAI is spoken: a bearer key, and errors of four members. */
export const OPENAI_DIALECT: Dialect = {
  authorization: (header) => header('authorization'),

  failure(error, _request, headers) {
    const status = statusOf(error.code)
    const findings = error.data['findings']
    const body = {
      error: {
        message: errorText(error),
        type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
        param: error.problems[0]?.pointer.slice(1) || null,
        code: CODES[error.code] ?? error.code,
        ...(findings !== undefined && { findings }),
      },
    }
    // The same again ends the same; only who changed something at the same time may try once more.
    const final = status === 409 && error.code !== 'stage_changed'
    return { status, body, headers: { ...headers, ...(final && { 'x-should-retry': 'false' }) } }
  },
}

/** What is wrong with a skill is a request that is wrong. */
function statusOf(code: ErrorCode): number {
  return code === 'package_rejected' ? 400 : ERRORS[code].status
}

const TYPES: Readonly<Partial<Record<number, string>>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'requests',
}

/** Where that API has a code of its own. */
const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthenticated: 'invalid_api_key',
  rate_limited: 'rate_limit_exceeded',
}
