import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { queuePauseCommand } from '../commands/queue-pause.ts'
import { queueResumeCommand } from '../commands/queue-resume.ts'
import { queueShowCommand } from '../commands/queue-show.ts'
import { noun } from './noun.ts'

export function queueCommands(cli: Cli): Command {
  return noun('queue', 'what waits: show, pause, resume', [
    queueShowCommand(cli),
    queuePauseCommand(cli),
    queueResumeCommand(cli),
  ])
}
