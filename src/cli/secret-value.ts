import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import type { Call } from './call.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

export interface ValueOptions {
  readonly valueStdin?: boolean
  readonly valueFile?: string
}

/**
 * Lets a command with one argument take the value of a secret, from anywhere but its arguments: others see those of a process.
 * Who tries is told so, and not in words that repeat the value.
 */
export function takeValue(command: Command): Command {
  return command
    .addOption(
      new Option('--value-stdin', 'read the value from stdin; one line end at its end is cut').conflicts('valueFile'),
    )
    .addOption(new Option('--value-file <path>', 'read the value from a file; one line end at its end is cut'))
    .addOption(new Option('--value [value]').hideHelp())
    .allowExcessArguments()
    .hook('preAction', (used) => {
      if (used.args.length <= 1 && !('value' in used.opts())) return
      throw usageError(
        'A value is never an argument: other users of the machine can see it there.',
        'Let it be asked for, or give it with --value-stdin or --value-file. If it was a real one, replace it where it came from.',
      )
    })
}

/** What is said of a value never quotes it. @throws CliError when there is none, or when it is no text */
export async function readSecretValue(call: Call<ValueOptions>, name: string): Promise<string> {
  const { io, options } = call
  if (options.valueStdin === true) return textOf(await buffer(io.stdin), 'What came on stdin')
  if (options.valueFile !== undefined) return fileText(resolve(io.cwd, options.valueFile))
  return ask(call, name)
}

async function fileText(file: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    throw usageError(
      `The file ${file} cannot be read: ${(error as Error).message}`,
      'Name a file that holds the value.',
    )
  }
  return textOf(bytes, `The file ${file}`)
}

function textOf(bytes: Buffer, what: string): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw usageError(`${what} is no UTF-8 text.`, 'Encode it, for example with base64, and decode it in the skill.')
  }
  return text.replace(/\r?\n$/, '')
}

async function ask({ io, options }: Call, name: string): Promise<string> {
  if (!io.tty.in || !io.tty.err || options.json === true) {
    throw usageError('Nobody is there to type the value.', 'Give it with --value-stdin or --value-file.')
  }
  const { isCancel, password } = await import('@clack/prompts')
  const value = await password({
    message: `Value of ${name}`,
    validate: (typed) => (typed === undefined || typed === '' ? 'It must not be empty.' : undefined),
  })
  if (isCancel(value)) throw new CliError(EXIT.interrupted, 'Nothing was changed.')
  return value
}
