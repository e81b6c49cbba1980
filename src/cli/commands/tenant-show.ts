import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function tenantShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a tenant')
    .argument('<tenant>', 'name or id')
    .action(
      action(cli, async (call, reference) => {
        const tenant = await call.api('operator').findTenant(reference)
        call.show(tenant, () =>
          [
            `name     ${tenant.name}`,
            `id       ${tenant.id}`,
            `state    ${tenant.suspended ? 'suspended' : 'active'}`,
            `zone     ${tenant.zone}`,
            `keeps    ${tenant.retention_days} days`,
            `created  ${tenant.created_at}`,
            '',
          ].join('\n'),
        )
      }),
    )
}
