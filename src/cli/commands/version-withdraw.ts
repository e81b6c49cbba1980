import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { confirmed } from '../confirm.ts'

export function versionWithdrawCommand(cli: Cli): Command {
  return new Command('withdraw')
    .description('withdraw a version for ever; its number is never given again')
    .argument('<skill>', 'name or id')
    .argument('<version>', 'its number or id')
    .option('-y, --yes', 'do not ask')
    .action(
      action<{ yes?: boolean }>(cli, async (call, skill, name) => {
        await confirmed(call, `Withdraw version ${name} of ${skill} for ever?`)
        const gone = await call.api().withdrawVersion(skill, name)
        call.show(gone, () => `${skill} ${gone.version} was withdrawn.\n`)
      }),
    )
}
