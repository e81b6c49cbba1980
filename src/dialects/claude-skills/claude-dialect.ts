import type { Reply } from '../../http/reply.ts'
import type { Dialect } from '../../http/route.ts'
import { ERRORS, type ErrorCode } from '../../model/error-catalogue.ts'
import type { SkillCall } from '../skill-api.ts'
import { errorText } from '../skill-remedies.ts'

/** How Claude's API is spoken: keys in either header, typed errors, and the id of the request in each answer. */
export const CLAUDE_DIALECT: Dialect = {
  authorization(header) {
    const key = header('x-api-key')
    return key === undefined ? header('authorization') : `Bearer ${key}`
  },

  failure(error, { id, header }, headers) {
    const status = statusOf(error.code)
    const findings = error.data['findings']
    const details = { error_code: ERROR_CODES[error.code] ?? error.code, ...(findings !== undefined && { findings }) }
    const body = {
      type: 'error',
      error: {
        type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error'),
        message: errorText(error, REMEDIES),
        details,
      },
      request_id: id,
    }
    // The same again ends the same; only who changed something at the same time may try once more.
    const final = status === 409 && error.code !== 'stage_changed'
    return {
      status,
      body,
      headers: { ...headers, ...identify(id, header), ...(final && { 'x-should-retry': 'false' }) },
    }
  },
}

/** An answer with what every answer has. */
export function claudeReply(call: Pick<SkillCall, 'from' | 'header'>, reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, ...identify(call.from.request_id, call.header) } }
}

export const claudeAnswer = (call: Pick<SkillCall, 'from' | 'header'>, body: object): Reply =>
  claudeReply(call, { status: 200, body })

function identify(id: string, header: (name: string) => string | undefined): Record<string, string> {
  const workspace = header('anthropic-workspace-id')
  const known = workspace !== undefined && /^[\w-]{1,100}$/.test(workspace)
  return { 'request-id': id, ...(known && { 'anthropic-workspace-id': workspace }) }
}

/** That API has no 422: what is wrong with a skill is a request that is wrong. */
function statusOf(code: ErrorCode): number {
  return code === 'package_rejected' || code === 'unsupported_media_type' ? 400 : ERRORS[code].status
}

const TYPES: Readonly<Partial<Record<number, string>>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

/** Where that API has a code of its own. */
const ERROR_CODES: Readonly<Partial<Record<ErrorCode, string>>> = { name_taken: 'skill_name_taken' }

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthenticated: 'Send a key of a tenant as "x-api-key" or as "Authorization: Bearer <key>".',
}
