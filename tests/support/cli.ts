import { Readable } from 'node:stream'
import type { ExitCode } from '../../src/cli/exit-codes.ts'
import { runCli } from '../../src/cli/run-cli.ts'

export interface CliResult {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

/** Runs one command line as its process would, with nobody at a terminal and nothing of this machine's environment. */
export async function cli(
  args: readonly string[],
  options: {
    env?: Record<string, string>
    cwd?: string
    stdin?: string
    signal?: AbortSignal
    platform?: NodeJS.Platform
  } = {},
): Promise<CliResult> {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: Readable.from([options.stdin ?? '']),
    env: { HOME: '/nonexistent', ...options.env },
    cwd: options.cwd ?? '/',
    tty: { out: false, err: false, in: false },
    platform: options.platform ?? process.platform,
    signal: options.signal ?? new AbortController().signal,
  })
  return { code, out, err }
}
