import { Command } from 'commander'
import { isTerminal } from '../../model/runs.ts'
import type { Api } from '../api.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { readInput } from '../run-input.ts'
import { endText, exitCodeOfRun, logText, retryText } from '../show-run.ts'

interface Options {
  readonly stage: string
  readonly input?: string
  readonly wait?: boolean
  readonly follow?: boolean
  readonly detach?: boolean
}

/** The longest that one request waits, in seconds; what takes longer is followed. */
const WAIT_SECONDS = 60

export function invokeCommand(cli: Cli): Command {
  return new Command('invoke')
    .description('run a skill: its result on stdout, its log on stderr')
    .argument('<skill>', 'name or id')
    .option('--stage <name>', 'stage to run', 'dev')
    .option('--input <json>', 'the input: JSON, @file, or - for stdin; default {}')
    .option('--follow', 'show the log as it is written, then the result (default; with --json every event on a line)')
    .option('--wait', 'only the result (default with --json: the whole run)')
    .option('--detach', 'do not wait: print the id of the run')
    .action(action<Options>(cli, (call, skill) => invoke(call, skill)))
}

async function invoke(call: Call<Options>, skill: string) {
  const { io, options } = call
  if ([options.wait, options.follow, options.detach].filter(Boolean).length > 1) {
    throw usageError('--wait, --follow and --detach exclude each other.', 'Give one of them.')
  }
  const input = await readInput(options.input, io)
  const api = call.api()
  const quiet = options.wait === true || (options.json === true && options.follow !== true)
  const waited = quiet && options.detach !== true ? WAIT_SECONDS : undefined
  const { id, run } = await api.invoke(skill, options.stage, input, waited)
  if (options.detach === true) return call.show({ run_id: id }, () => `${id}\n`)
  if (run !== null && isTerminal(run.status)) return finish(call, run)
  return await followToEnd(call, api, id, quiet)
}

/** Shows the events of a run until it has ended, then its result. Ctrl-C leaves the run alone. */
export async function followToEnd(call: Call, api: Api, id: string, quiet: boolean) {
  const { io, options } = call
  const everyEvent = options.json === true && !quiet
  try {
    for await (const event of api.followRun(id)) {
      if (everyEvent) io.out(`${JSON.stringify(event)}\n`)
      else if (quiet) continue
      else if (event.type === 'status') io.err(retryText(event.data, call.paintErr))
      else if (event.type === 'log') {
        for (const line of event.data.lines) io.err(logText(line, call.paintErr))
      }
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
    io.err(`\nRun ${id} goes on. Stop it with: skillet run cancel ${id}\n`)
    return EXIT.interrupted
  }
  const run = await api.findRun(id)
  return everyEvent ? exitCodeOfRun(run) : finish(call, run)
}

function finish(call: Call, run: Parameters<typeof endText>[0]) {
  call.show(run, () => (run.status === 'succeeded' ? `${JSON.stringify(run.output, null, 2)}\n` : ''))
  if (call.options.json !== true) call.io.err(endText(run, call.paintErr))
  return exitCodeOfRun(run)
}
