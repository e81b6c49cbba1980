import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function stageResumeCommand(cli: Cli): Command {
  return new Command('resume')
    .description('let the runs of the stage begin again')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, name) => {
        const stage = await call.api().pauseStage(skill, name, false)
        call.show(stage, () => `${skill}/${stage.name} is not paused.\n`)
      }),
    )
}
