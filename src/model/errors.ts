import type { ErrorCode } from './error-catalogue.ts'

/** One place in a document and what is wrong there. `pointer` is an RFC 6901 JSON pointer. */
export interface Problem {
  readonly pointer: string
  readonly message: string
}

/** An error whose cause is outside Skillet's code: it reaches the caller as it is. Anything else becomes `internal`. */
export class SkilletError extends Error {
  readonly code: ErrorCode
  readonly problems: readonly Problem[]
  readonly data: Readonly<Record<string, unknown>>

  /** @param detail What happened, to what, this time: names the value. The remedy comes from the catalogue. */
  constructor(
    code: ErrorCode,
    detail: string,
    options: { problems?: readonly Problem[]; data?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SkilletError'
    this.code = code
    this.problems = options.problems ?? []
    this.data = options.data ?? {}
  }
}

export function notFound(what: string, name: string): SkilletError {
  return new SkilletError('not_found', `There is no ${what} "${name}".`)
}
