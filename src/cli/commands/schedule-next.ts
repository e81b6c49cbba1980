import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { countOption } from '../schedule-options.ts'
import { outlookText } from '../schedule-text.ts'

export function scheduleNextCommand(cli: Cli): Command {
  return new Command('next')
    .description('show when a schedule fires next, in its zone and in UTC')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .addOption(countOption())
    .action(
      action<{ count: number }>(cli, async (call, skill, stage) => {
        const outlook = await call.api().outlook(skill, stage, call.options.count)
        call.show(outlook, () => outlookText(outlook))
      }),
    )
}
