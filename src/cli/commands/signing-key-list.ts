import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'

export function signingKeyListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the public keys under which versions are signed, newest first')
    .option('--pem', 'the keys themselves, for "skillet verify --public-key" elsewhere')
    .action(
      action<{ pem?: boolean }>(cli, async (call) => {
        const found = await call.api().signingKeys()
        const { items } = found
        call.show(found, () => {
          if (call.options.pem === true) return items.map(({ public_key }) => public_key).join('')
          const rows = items.map(({ id, tenant, created_at, retired_at }) => [id, tenant, created_at, retired_at])
          return table(['KEY', 'TENANT', 'CREATED', 'RETIRED'], rows)
        })
      }),
    )
}
