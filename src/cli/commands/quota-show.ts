import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { quotaText } from '../quota-text.ts'

export function quotaShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show the caps that hold and what is used of them')
    .option('--tenant <tenant>', 'name or id, for the operator: its ceiling and where it stands')
    .action(
      action<{ tenant?: string }>(cli, async (call) => {
        const { tenant } = call.options
        const api = call.api(tenant === undefined ? 'owner' : 'operator')
        const view = tenant === undefined ? await api.findQuota() : await api.findCeiling(tenant)
        call.show(view, await quotaText(api, view))
      }),
    )
}
