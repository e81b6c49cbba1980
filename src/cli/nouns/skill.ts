import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { skillDeleteCommand } from '../commands/skill-delete.ts'
import { skillListCommand } from '../commands/skill-list.ts'
import { skillShowCommand } from '../commands/skill-show.ts'
import { noun } from './noun.ts'

export function skillCommands(cli: Cli): Command {
  return noun('skill', 'skills: list, show, delete', [
    skillListCommand(cli),
    skillShowCommand(cli),
    skillDeleteCommand(cli),
  ])
}
