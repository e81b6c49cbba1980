import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { quotaSetCommand } from '../commands/quota-set.ts'
import { quotaShowCommand } from '../commands/quota-show.ts'
import { noun } from './noun.ts'

export function quotaCommands(cli: Cli): Command {
  return noun('quota', 'caps: show, set', [quotaShowCommand(cli), quotaSetCommand(cli)])
}
