import { Command, Option } from 'commander'
import { DeliveryStatus } from '../../model/webhooks.ts'
import type { DeliveryQuery } from '../api-webhook.ts'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function deliveryListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list what webhooks were to be told, newest first')
    .option('--skill <name>', 'only of this skill')
    .option('--stage <name>', 'only of this stage')
    .option('--run <run>', 'only of this run')
    .addOption(new Option('--status <status>', 'only with this status').choices(DeliveryStatus.options))
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<DeliveryQuery>(cli, async (call) => {
        const { skill, stage, run, status, limit, cursor } = call.options
        const page = await call.api().listDeliveries({ skill, stage, run, status, limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((one) => [
            one.id,
            one.event,
            one.status,
            one.run,
            one.attempts.length,
            one.attempts.at(-1)?.status ?? null,
            one.created_at,
            one.next_attempt_at,
          ])
          const header = ['DELIVERY', 'EVENT', 'STATUS', 'RUN', 'ATTEMPTS', 'ANSWER', 'CREATED', 'NEXT']
          return table(header, rows) + moreText(page.next)
        })
      }),
    )
}
