import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { signingKeyListCommand } from '../commands/signing-key-list.ts'
import { signingKeyRotateCommand } from '../commands/signing-key-rotate.ts'
import { noun } from './noun.ts'

export function signingKeyCommands(cli: Cli): Command {
  return noun('signing-key', 'what versions are signed under: list, rotate', [
    signingKeyListCommand(cli),
    signingKeyRotateCommand(cli),
  ])
}
