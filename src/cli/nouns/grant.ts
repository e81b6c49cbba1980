import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { grantCreateCommand } from '../commands/grant-create.ts'
import { grantDeleteCommand } from '../commands/grant-delete.ts'
import { grantListCommand } from '../commands/grant-list.ts'
import { noun } from './noun.ts'

export function grantCommands(cli: Cli): Command {
  return noun('grant', 'grants of skills: create, list, delete', [
    grantCreateCommand(cli),
    grantListCommand(cli),
    grantDeleteCommand(cli),
  ])
}
