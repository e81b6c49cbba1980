import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function tenantListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list tenants, newest first')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<{ limit: number; cursor?: string }>(cli, async (call) => {
        const { limit, cursor } = call.options
        const page = await call.api('operator').listTenants({ limit, cursor })
        call.show(page, () => {
          const rows = page.items.map(({ name, id, suspended, zone, created_at }) => [
            name,
            id,
            suspended ? 'suspended' : 'active',
            zone,
            created_at,
          ])
          return table(['NAME', 'TENANT', 'STATE', 'ZONE', 'CREATED'], rows) + moreText(page.next)
        })
      }),
    )
}
