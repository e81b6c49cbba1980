import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function tenantZoneCommand(cli: Cli): Command {
  return new Command('zone')
    .description("set the time zone in which a tenant's days and months begin")
    .argument('<tenant>', 'name or id')
    .argument('<zone>', 'IANA name, such as Europe/Berlin')
    .action(
      action(cli, async (call, reference, zone) => {
        const tenant = await call.api('operator').updateTenant(reference, { zone })
        call.show(tenant, () => `Days and months of ${tenant.name} begin in ${tenant.zone}.\n`)
      }),
    )
}
