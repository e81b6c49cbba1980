import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { deliveryListCommand } from '../commands/delivery-list.ts'
import { deliveryRedeliverCommand } from '../commands/delivery-redeliver.ts'
import { deliveryShowCommand } from '../commands/delivery-show.ts'
import { noun } from './noun.ts'

export function deliveryCommands(cli: Cli): Command {
  return noun('delivery', 'what webhooks were told: list, show, redeliver', [
    deliveryListCommand(cli),
    deliveryShowCommand(cli),
    deliveryRedeliverCommand(cli),
  ])
}
