import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { stageConfigCommand } from '../commands/stage-config.ts'
import { stagePauseCommand } from '../commands/stage-pause.ts'
import { stagePromoteCommand } from '../commands/stage-promote.ts'
import { stageResumeCommand } from '../commands/stage-resume.ts'
import { stageRollbackCommand } from '../commands/stage-rollback.ts'
import { stageServeCommand } from '../commands/stage-serve.ts'
import { stageShowCommand } from '../commands/stage-show.ts'
import { noun } from './noun.ts'

export function stageCommands(cli: Cli): Command {
  return noun('stage', 'stages: show, config, serve, promote, rollback, pause, resume', [
    stageShowCommand(cli),
    stageConfigCommand(cli),
    stageServeCommand(cli),
    stagePromoteCommand(cli),
    stageRollbackCommand(cli),
    stagePauseCommand(cli),
    stageResumeCommand(cli),
  ])
}
