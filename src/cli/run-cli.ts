import { CommanderError } from 'commander'
import type { Cli } from './call.ts'
import { cleanText } from './clean-text.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Io, painter } from './io.ts'
import { packageVersion } from './package-version.ts'
import { createProgram } from './program.ts'

/** Runs one command line (without the program's name) to its end. Every failure ends here. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  const cli: Cli = { io, exitCode: EXIT.ok }
  try {
    const program = await createProgram(cli, packageVersion(), args)
    await program.parseAsync([...args], { from: 'user' })
    return cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    // What there is was shown instead: only half of a command was named.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage
    if (io.signal.aborted) return EXIT.interrupted
    const known = knownError(error)
    io.err(args.includes('--json') ? jsonText(known) : errorText(known, io))
    return known.exitCode
  }
}

function knownError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (!(error instanceof CommanderError)) return unexpected(error)
  const what = error.message.replace(/^error: /, '')
  return usageError(`${what.charAt(0).toUpperCase()}${what.slice(1)}`, 'Add --help to see what can be said.')
}

/** Faults outside the command line's own code carry a `fix` of theirs, such as a data folder that another server holds. */
function unexpected(error: unknown): CliError {
  const { message, stack, fix } = error as { message?: string; stack?: string; fix?: unknown }
  if (typeof fix === 'string') return new CliError(EXIT.failed, message ?? String(error), { fix, cause: error })
  return new CliError(EXIT.failed, stack ?? String(error), {
    fix: 'This should not happen. Report it with the lines above.',
  })
}

function errorText(error: CliError, io: Io): string {
  const paint = painter(io, 'err')
  // Servers and files of others have their words in it.
  const { message, why, fix } = error
  const lines = [`${paint('red', 'Error:')} ${cleanText(message)}`]
  if (why !== null && why !== message) lines.push(`${paint('dim', 'Why:')} ${cleanText(why)}`)
  if (fix !== null) lines.push(`${paint('green', 'To mend it:')} ${cleanText(fix)}`)
  return `${lines.join('\n')}\n`
}

function jsonText({ exitCode, message, why, fix, data }: CliError): string {
  return `${JSON.stringify({ error: { detail: message, why, fix, ...data, exit_code: exitCode } })}\n`
}
