import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function tenantResumeCommand(cli: Cli): Command {
  return new Command('resume')
    .description('serve a suspended tenant again')
    .argument('<tenant>', 'name or id')
    .action(
      action(cli, async (call, reference) => {
        const tenant = await call.api('operator').updateTenant(reference, { suspended: false })
        call.show(tenant, () => `${tenant.name} is served again.\n`)
      }),
    )
}
