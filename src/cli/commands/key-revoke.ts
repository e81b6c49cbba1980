import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function keyRevokeCommand(cli: Cli): Command {
  return new Command('revoke')
    .description('refuse an API key from now on, for ever, and delete its grants')
    .argument('<key>', 'its id, as "key list" shows it')
    .option('--operator', "it is an operator's key")
    .action(
      action<{ operator?: boolean }>(cli, async (call, id) => {
        const key = await call.api(call.options.operator === true ? 'operator' : undefined).revokeKey(id)
        call.show(key, () => `${key.id} (${key.name}) is revoked since ${key.revoked_at}.\n`)
      }),
    )
}
