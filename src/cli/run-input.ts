import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { usageError } from './cli-error.ts'
import type { Io } from './io.ts'

/** The value of --input: JSON, `@file` or `-` for stdin; `{}` when there is none. @throws CliError when it is not JSON */
export async function readInput(given: string | undefined, io: Pick<Io, 'stdin' | 'cwd'>): Promise<unknown> {
  if (given === undefined) return {}
  if (given === '-') return parse(await text(io.stdin), 'What came on stdin')
  if (!given.startsWith('@')) return parse(given, 'The value of --input')
  const file = resolve(io.cwd, given.slice(1))
  try {
    return parse(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw usageError(`The input file ${file} cannot be read: ${error.message}`, 'Name a file that holds JSON.')
  }
}

function parse(json: string, what: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw usageError(
      `${what} is not JSON: ${(error as Error).message}`,
      `Write it as --input '{"name": "value"}', --input @file or --input -.`,
    )
  }
}
