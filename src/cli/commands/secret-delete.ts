import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { confirmed } from '../confirm.ts'

export function secretDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete a secret and its value; one that stages refer to stays')
    .argument('<secret>', 'name or id')
    .option('-y, --yes', 'do not ask')
    .action(
      action<{ yes?: boolean }>(cli, async (call, name) => {
        await confirmed(call, `Delete ${name} and its value?`)
        await call.api().deleteSecret(name)
        call.show({ deleted: name }, () => `${name} was deleted.\n`)
      }),
    )
}
