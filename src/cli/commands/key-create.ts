import { Command, Option } from 'commander'
import type { NewApiKey } from '../../access/key-service.ts'
import { AnyRole } from '../../model/access.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { OUTPUT_OPTION, makeAndShow } from '../key-output.ts'
import { untilOption } from '../until.ts'

interface Options {
  readonly role?: AnyRole
  readonly tenant?: string
  readonly until?: string
  readonly output?: string
}

export function keyCreateCommand(cli: Cli): Command {
  return new Command('create')
    .description('make an API key; it is shown this once')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--role <role>', 'what it may do').choices(AnyRole.options))
    .addOption(untilOption())
    .option('--tenant <tenant>', "with the operator's key: make an owner key for this tenant, which lost its own")
    .option(...OUTPUT_OPTION)
    .action(
      action<Options>(cli, async (call, name) => {
        const make = maker(call, name)
        await makeAndShow(call, make, {
          key: (made) => made,
          json: (_made, key) => key,
          title: ({ id, role }) => `Key ${id} was made, with the role ${role}.`,
        })
      }),
    )
}

function maker(call: Call<Options>, name: string): () => Promise<NewApiKey> {
  const { role, tenant, until: expires_at = null } = call.options
  if (tenant !== undefined) {
    if (role !== undefined && role !== 'owner') {
      throw usageError(
        `An operator makes no ${role} keys.`,
        'Leave --role out: the owner of the tenant makes the others.',
      )
    }
    const api = call.api('operator')
    return () => api.createTenantKey(tenant, { name, expires_at })
  }
  if (role === undefined) {
    throw usageError('It is not said what the key may do.', `Name it with --role: ${AnyRole.options.join(', ')}.`)
  }
  const api = call.api(role === 'operator' ? 'operator' : undefined)
  return () => api.createKey({ role, name, expires_at })
}
