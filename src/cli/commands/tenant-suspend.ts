import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function tenantSuspendCommand(cli: Cli): Command {
  return new Command('suspend')
    .description('refuse all keys of a tenant and begin none of its runs, from now on')
    .argument('<tenant>', 'name or id')
    .action(
      action(cli, async (call, reference) => {
        const tenant = await call.api('operator').updateTenant(reference, { suspended: true })
        call.show(tenant, () => `${tenant.name} is suspended. To undo it: skillet tenant resume ${tenant.name}\n`)
      }),
    )
}
