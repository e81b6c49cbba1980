import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { type Api, type Readiness, createApi } from '../api.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { requireLinux } from '../require-linux.ts'
import { settledReadiness } from '../settled-readiness.ts'

export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .description('check that skills can be run here, and say what to do where they cannot')
    .addOption(
      new Option(
        '--driver <name>',
        'what to try where no server runs: bwrap, or runsc (gVisor); default: bwrap',
      ).choices(['bwrap', 'runsc']),
    )
    .action(action<Options>(cli, doctor))
}

interface Options {
  readonly driver?: 'bwrap' | 'runsc'
}

/** Asks the server that runs; where none does, starts one for the moment, which tries its sandboxes as every server does. */
async function doctor(call: Call<Options>) {
  const running = runningApi(call)
  const { ready, checks } =
    running === null ? await scratchReadiness(call) : await settledReadiness(running, call.io.signal)
  const about =
    running === null ? 'No server runs: this is what one that starts now would find.' : `Server ${running.url}`
  call.show({ server: running?.url ?? null, node: process.version, ready, checks }, () =>
    [about, ...checks.map((check) => checkLine(check, call)), ''].join('\n'),
  )
  return ready ? EXIT.ok : EXIT.failed
}

function runningApi(call: Call): Api | null {
  try {
    return call.api('nobody')
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return null
    throw error
  }
}

async function scratchReadiness({ io, options }: Call<Options>): Promise<Readiness> {
  requireLinux(io)
  const dataDir = await mkdtemp(join(tmpdir(), 'skillet-doctor-'))
  try {
    const [{ startServer }, { closeInheritedFds }] = await Promise.all([
      import('../../server.ts'),
      import('../../runtime/bwrap/inherited-fds.ts'),
    ])
    // As "serve" does: what is told is what a server would find.
    closeInheritedFds()
    const server = await startServer({
      dataDir,
      port: 0,
      driver: options.driver,
      environment: io.env['SKILLET_ENV'] || undefined,
      log: () => {},
    })
    try {
      return await settledReadiness(createApi({ url: server.url, key: server.key! }, io.signal), io.signal)
    } finally {
      await server.stop()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

function checkLine({ name, ok, message, fix }: Readiness['checks'][number], { paint }: Call): string {
  const head = `${ok ? paint('green', 'ok  ') : paint('red', 'FAIL')}  ${name}${message === null ? '' : `: ${message}`}`
  return fix === null ? head : `${head}\n      ${ok ? 'To do better' : 'To mend it'}: ${fix}`
}
