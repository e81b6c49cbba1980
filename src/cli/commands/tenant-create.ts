import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { OUTPUT_OPTION, makeAndShow } from '../key-output.ts'

export function tenantCreateCommand(cli: Cli): Command {
  return new Command('create')
    .description('make a tenant; its first owner key is shown this once')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--zone <zone>', 'IANA zone in which its days and months begin; default: UTC')
    .option(...OUTPUT_OPTION)
    .action(
      action<{ zone?: string; output?: string }>(cli, async (call, name) => {
        const api = call.api('operator')
        const { zone } = call.options
        await makeAndShow(call, () => api.createTenant({ name, zone }), {
          key: (made) => made.owner_key,
          json: ({ tenant }, owner_key) => ({ tenant, owner_key }),
          title: ({ tenant }) => `Tenant ${tenant.name} (${tenant.id}) was made, with an owner key.`,
        })
      }),
    )
}
