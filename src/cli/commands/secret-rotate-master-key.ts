import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function secretRotateMasterKeyCommand(cli: Cli): Command {
  return new Command('rotate-master-key')
    .description("with the operator's key: seal all secrets of all tenants under a new master key")
    .action(
      action(cli, async (call) => {
        const done = await call.api('operator').rotateMasterKey()
        call.show(
          done,
          () => `${done.rewrapped} value(s) are sealed under the new master key; the old one opens none.\n`,
        )
      }),
    )
}
