import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function grantDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('take a grant back, from now on')
    .argument('<grant>', 'its id')
    .action(
      action(cli, async (call, grant) => {
        await call.api().deleteGrant(grant)
        call.show({ deleted: grant }, () => `${grant} was deleted.\n`)
      }),
    )
}
