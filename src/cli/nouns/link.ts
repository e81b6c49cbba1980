import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { linkCreateCommand } from '../commands/link-create.ts'
import { linkListCommand } from '../commands/link-list.ts'
import { linkRevokeCommand } from '../commands/link-revoke.ts'
import { noun } from './noun.ts'

export function linkCommands(cli: Cli): Command {
  return noun('link', 'URLs through which skills are fetched without a key: create, list, revoke', [
    linkCreateCommand(cli),
    linkListCommand(cli),
    linkRevokeCommand(cli),
  ])
}
