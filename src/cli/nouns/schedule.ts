import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { scheduleDeleteCommand } from '../commands/schedule-delete.ts'
import { scheduleFiresCommand } from '../commands/schedule-fires.ts'
import { scheduleListCommand } from '../commands/schedule-list.ts'
import { scheduleNextCommand } from '../commands/schedule-next.ts'
import { schedulePauseCommand } from '../commands/schedule-pause.ts'
import { schedulePreviewCommand } from '../commands/schedule-preview.ts'
import { scheduleResumeCommand } from '../commands/schedule-resume.ts'
import { scheduleSetCommand } from '../commands/schedule-set.ts'
import { scheduleShowCommand } from '../commands/schedule-show.ts'
import { noun } from './noun.ts'

export function scheduleCommands(cli: Cli): Command {
  return noun(
    'schedule',
    'stages that run by the clock: set, show, list, next, fires, pause, resume, delete, preview',
    [
      scheduleSetCommand(cli),
      scheduleShowCommand(cli),
      scheduleListCommand(cli),
      scheduleNextCommand(cli),
      scheduleFiresCommand(cli),
      schedulePauseCommand(cli),
      scheduleResumeCommand(cli),
      scheduleDeleteCommand(cli),
      schedulePreviewCommand(cli),
    ],
  )
}
