import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function stagePauseCommand(cli: Cli): Command {
  return new Command('pause')
    .description('let no run of the stage begin; what runs goes on, what is begun waits')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, name) => {
        const stage = await call.api().pauseStage(skill, name, true)
        call.show(stage, () => `${skill}/${stage.name} is paused.\n`)
      }),
    )
}
