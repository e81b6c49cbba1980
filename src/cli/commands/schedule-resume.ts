import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function scheduleResumeCommand(cli: Cli): Command {
  return new Command('resume')
    .description('let a schedule fire again, from now on')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, stage) => {
        const schedule = await call.api().enableSchedule(skill, stage, true)
        call.show(schedule, () => `The schedule of ${skill}/${stage} fires next at ${schedule.next_at}.\n`)
      }),
    )
}
