import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function webhookDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete the webhook of a stage; deliveries that wait are cancelled')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name')
    .action(
      action(cli, async (call, skill, stage) => {
        await call.api().deleteWebhook(skill, stage)
        call.show({ deleted: `${skill}/${stage}` }, () => `The webhook of ${skill}/${stage} was deleted.\n`)
      }),
    )
}
