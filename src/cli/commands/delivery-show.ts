import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { deliveryText } from '../show-webhook.ts'

export function deliveryShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a delivery: its attempts, and what is sent')
    .argument('<delivery>', 'id')
    .action(
      action(cli, async (call, id) => {
        const delivery = await call.api().findDelivery(id)
        call.show(delivery, () => `${deliveryText(delivery)}payload   ${JSON.stringify(delivery.payload, null, 2)}\n`)
      }),
    )
}
