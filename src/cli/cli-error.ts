import { EXIT, type ExitCode } from './exit-codes.ts'

/** What a user is told when a command cannot do its work: what happened, why if that is not plain, and how to mend it. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly why: string | null
  readonly fix: string | null
  /** For --json: members of the problem that the server answered with. */
  readonly data: Readonly<Record<string, unknown>>

  constructor(
    exitCode: ExitCode,
    what: string,
    more: { why?: string | undefined; fix?: string | undefined; data?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(what, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'CliError'
    this.exitCode = exitCode
    this.why = more.why ?? null
    this.fix = more.fix ?? null
    this.data = more.data ?? {}
  }
}

/** @param fix How the command would be written rightly. */
export function usageError(what: string, fix: string): CliError {
  return new CliError(EXIT.usage, what, { fix })
}
