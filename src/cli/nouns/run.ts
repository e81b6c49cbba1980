import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { runCancelCommand } from '../commands/run-cancel.ts'
import { runListCommand } from '../commands/run-list.ts'
import { runLogsCommand } from '../commands/run-logs.ts'
import { runReplayCommand } from '../commands/run-replay.ts'
import { runShowCommand } from '../commands/run-show.ts'
import { noun } from './noun.ts'

export function runCommands(cli: Cli): Command {
  return noun('run', 'runs: list, show, logs, cancel, replay', [
    runListCommand(cli),
    runShowCommand(cli),
    runLogsCommand(cli),
    runCancelCommand(cli),
    runReplayCommand(cli),
  ])
}
