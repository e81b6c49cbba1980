import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function schedulePauseCommand(cli: Cli): Command {
  return new Command('pause')
    .description('let a schedule fire no more; what it would have fired is not made up for')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, stage) => {
        const schedule = await call.api().enableSchedule(skill, stage, false)
        call.show(schedule, () => `The schedule of ${skill}/${stage} is paused.\n`)
      }),
    )
}
