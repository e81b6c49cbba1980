import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function deliveryRedeliverCommand(cli: Cli): Command {
  return new Command('redeliver')
    .description('send a delivery that is over again, at once and under the same id')
    .argument('<delivery>', 'id')
    .action(
      action(cli, async (call, id) => {
        const delivery = await call.api().redeliver(id)
        call.show(delivery, () => `${delivery.id} is sent again. How that goes: skillet delivery show ${delivery.id}\n`)
      }),
    )
}
