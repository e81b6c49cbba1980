import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { deadLetterDeleteCommand } from '../commands/dead-letter-delete.ts'
import { deadLetterListCommand } from '../commands/dead-letter-list.ts'
import { deadLetterReplayCommand } from '../commands/dead-letter-replay.ts'
import { noun } from './noun.ts'

export function deadLetterCommands(cli: Cli): Command {
  return noun('dead-letter', 'runs that failed for good: list, replay, delete', [
    deadLetterListCommand(cli),
    deadLetterReplayCommand(cli),
    deadLetterDeleteCommand(cli),
  ])
}
