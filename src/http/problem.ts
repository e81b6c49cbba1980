import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts'
import { SkilletError } from '../model/errors.ts'
import type { Reply } from './reply.ts'

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]

/** RFC 9457. Some codes add members of their own, such as `run_id` or `changes`. */
export const Problem = z
  .looseObject({
    type: z.string().meta({ description: '`urn:skillet:error:` and the code.' }),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(CODES),
    detail: z.string().meta({ description: 'What happened this time.' }),
    fix: z.string().meta({ description: 'What to do about it.' }),
    errors: z
      .array(z.object({ pointer: z.string(), message: z.string() }))
      .meta({ description: 'The places, as JSON pointers, and what is wrong there.' }),
    request_id: z.string(),
  })
  .meta({ id: 'Problem' })

/** A problem as the answer to the request. */
export function problemReply(error: SkilletError, requestId: string, headers: Record<string, string> = {}): Reply {
  const { status, title, fix } = ERRORS[error.code]
  const body: z.infer<typeof Problem> = {
    ...error.data,
    type: `urn:skillet:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    fix,
    errors: [...error.problems],
    request_id: requestId,
  }
  return { status, body, type: 'application/problem+json', headers: { ...HEADERS[status], ...headers } }
}

/** What the status demands or allows besides the body; seconds for Retry-After. */
const HEADERS: Readonly<Record<number, Record<string, string>>> = {
  401: { 'www-authenticate': 'Bearer realm="skillet"' },
  503: { 'retry-after': '1' },
}
