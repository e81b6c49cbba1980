import type { Command } from 'commander'
import { type Api, createApi } from './api.ts'
import { type Connection, type KeyHolder, type ServerOptions, findConnection } from './connection.ts'
import { cleanJson, cleanShown } from './clean-text.ts'
import type { ExitCode } from './exit-codes.ts'
import { EXIT } from './exit-codes.ts'
import { type Io, type Paint, painter } from './io.ts'
import { type Progress, createProgress } from './progress.ts'

/** One use of the command line. */
export interface Cli {
  readonly io: Io
  /** Set by the command that ran. */
  exitCode: ExitCode
}

/** What a command works with. */
export interface Call<Options = object> {
  readonly io: Io
  readonly options: Options & ServerOptions & { readonly json?: boolean }
  readonly progress: Progress
  /** For stdout and stderr. */
  readonly paint: Paint
  readonly paintErr: Paint
  /** @param holder Whose key is taken where none is given. Default: the owner's. */
  connection(holder?: KeyHolder): Connection
  api(holder?: KeyHolder): Api
  /** Prints a result: as JSON with --json, else as the text. */
  show(value: unknown, text: () => string): void
}

/** Fits a command's work into commander: its arguments, then an exit code if it is not 0. */
export function action<Options = object>(
  cli: Cli,
  work: (call: Call<Options>, ...args: string[]) => Promise<ExitCode | void> | ExitCode | void,
) {
  return async (...all: unknown[]): Promise<void> => {
    const command = all.at(-1) as Command
    const args = all.slice(0, -2) as string[]
    const call = createCall<Options>(cli.io, command.optsWithGlobals())
    cli.exitCode = (await work(call, ...args)) ?? EXIT.ok
  }
}

function createCall<Options>(io: Io, options: Call<Options>['options']): Call<Options> {
  const connection = (holder?: KeyHolder): Connection => findConnection(options, io, holder)
  return {
    io,
    options,
    progress: createProgress(io),
    paint: painter(io, 'out'),
    paintErr: painter(io, 'err'),
    connection,
    api: (holder) => createApi(connection(holder), io.signal),
    show(value, text) {
      if (options.json === true) io.out(`${cleanJson(value)}\n`)
      // What goes into a file or another program stays as it is.
      else io.out(io.tty.out ? cleanShown(text()) : text())
    },
  }
}
