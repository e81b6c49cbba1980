import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { webhookDeleteCommand } from '../commands/webhook-delete.ts'
import { webhookSetCommand } from '../commands/webhook-set.ts'
import { webhookShowCommand } from '../commands/webhook-show.ts'
import { noun } from './noun.ts'

export function webhookCommands(cli: Cli): Command {
  return noun('webhook', 'where stages tell of what happens: set, show, delete', [
    webhookSetCommand(cli),
    webhookShowCommand(cli),
    webhookDeleteCommand(cli),
  ])
}
