import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { secretCreateCommand } from '../commands/secret-create.ts'
import { secretDeleteCommand } from '../commands/secret-delete.ts'
import { secretListCommand } from '../commands/secret-list.ts'
import { secretRotateMasterKeyCommand } from '../commands/secret-rotate-master-key.ts'
import { secretShowCommand } from '../commands/secret-show.ts'
import { secretUpdateCommand } from '../commands/secret-update.ts'
import { noun } from './noun.ts'

export function secretCommands(cli: Cli): Command {
  return noun('secret', 'secrets: create, list, show, update, delete, rotate-master-key', [
    secretCreateCommand(cli),
    secretListCommand(cli),
    secretShowCommand(cli),
    secretUpdateCommand(cli),
    secretDeleteCommand(cli),
    secretRotateMasterKeyCommand(cli),
  ])
}
