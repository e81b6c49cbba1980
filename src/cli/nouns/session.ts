import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { sessionFlushCommand } from '../commands/session-flush.ts'
import { sessionListCommand } from '../commands/session-list.ts'
import { noun } from './noun.ts'

export function sessionCommands(cli: Cli): Command {
  return noun('session', 'sandboxes that are kept for runs: list, flush', [
    sessionListCommand(cli),
    sessionFlushCommand(cli),
  ])
}
