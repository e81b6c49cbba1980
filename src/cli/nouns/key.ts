import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { keyCreateCommand } from '../commands/key-create.ts'
import { keyListCommand } from '../commands/key-list.ts'
import { keyRevokeCommand } from '../commands/key-revoke.ts'
import { noun } from './noun.ts'

export function keyCommands(cli: Cli): Command {
  return noun('key', 'API keys: create, list, revoke', [
    keyCreateCommand(cli),
    keyListCommand(cli),
    keyRevokeCommand(cli),
  ])
}
