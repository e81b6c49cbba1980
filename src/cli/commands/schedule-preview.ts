import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { type TimingOptions, addTimingOptions, countOption, timingOf } from '../schedule-options.ts'
import { outlookText } from '../schedule-text.ts'

interface Options extends TimingOptions {
  readonly cron: string
  readonly count: number
}

export function schedulePreviewCommand(cli: Cli): Command {
  const command = new Command('preview')
    .description('show when a schedule would fire, and the expressions of EventBridge Scheduler for it')
    .requiredOption('--cron <expression>', 'minute, hour, day of month, month, weekday, such as "0 6 * * MON-FRI"')
  return addTimingOptions(command)
    .addOption(countOption())
    .action(
      action<Options>(cli, async (call) => {
        const { cron, count } = call.options
        const outlook = await call.api().previewSchedule({ cron, count, ...timingOf(call.options) })
        call.show(
          outlook,
          () => `${outlookText(outlook)}\nEventBridge: ${outlook.eventbridge.join('\n             ')}\n`,
        )
      }),
    )
}
