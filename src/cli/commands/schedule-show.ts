import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { scheduleText, viewSchedule } from '../schedule-text.ts'

export function scheduleShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show the schedule of a stage, what became of its last instant, and when it fires next')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, stage) => {
        const api = call.api()
        const view = await viewSchedule(api, skill, stage, await api.showSchedule(skill, stage))
        call.show({ ...view.schedule, next: view.outlook.next }, () => scheduleText(view))
      }),
    )
}
