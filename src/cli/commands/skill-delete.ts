import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { confirmed } from '../confirm.ts'

export function skillDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete a skill with its stages and versions; the records of its runs stay')
    .argument('<skill>', 'name or id')
    .option('-y, --yes', 'do not ask')
    .action(
      action<{ yes?: boolean }>(cli, async (call, name) => {
        await confirmed(call, `Delete ${name} with all its stages and versions?`)
        await call.api().deleteSkill(name)
        call.show({ deleted: name }, () => `${name} was deleted.\n`)
      }),
    )
}
