import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { sessionText, stageNames } from '../session-text.ts'

export function sessionListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the sandboxes that are kept for runs, the busy ones first')
    .option('--tenant <tenant>', 'name or id, for the operator')
    .action(
      action<{ tenant?: string }>(cli, async (call) => {
        const { tenant } = call.options
        const api = call.api(tenant === undefined ? undefined : 'operator')
        const list = await api.listSessions(tenant)
        // An operator sees nothing that belongs to a tenant, names included.
        const names = tenant === undefined ? await stageNames(api, list.items) : new Map<string, string>()
        call.show(list, () => sessionText(list.items, names))
      }),
    )
}
