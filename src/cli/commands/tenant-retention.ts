import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'

export function tenantRetentionCommand(cli: Cli): Command {
  return new Command('retention')
    .description('set for how many days a tenant keeps runs that are over, and what is served no more')
    .argument('<tenant>', 'name or id')
    .argument('<days>', '1 to 180')
    .action(
      action(cli, async (call, reference, days) => {
        if (!/^\d{1,3}$/.test(days)) throw usageError(`"${days}" is no number of days.`, 'Give one from 1 to 180.')
        const tenant = await call.api('operator').updateTenant(reference, { retention_days: Number(days) })
        call.show(tenant, () => `${tenant.name} keeps what is over for ${tenant.retention_days} days.\n`)
      }),
    )
}
