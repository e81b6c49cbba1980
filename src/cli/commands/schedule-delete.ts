import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function scheduleDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete the schedule of a stage; runs that it began go on')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, stage) => {
        await call.api().deleteSchedule(skill, stage)
        call.show({ deleted: `${skill}/${stage}` }, () => `The schedule of ${skill}/${stage} was deleted.\n`)
      }),
    )
}
