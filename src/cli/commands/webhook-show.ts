import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { webhookText } from '../show-webhook.ts'

export function webhookShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show the webhook of a stage')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name')
    .action(
      action(cli, async (call, skill, stage) => {
        const webhook = await call.api().showWebhook(skill, stage)
        call.show(webhook, () => webhookText(webhook))
      }),
    )
}
