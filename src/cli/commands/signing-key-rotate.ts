import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function signingKeyRotateCommand(cli: Cli): Command {
  return new Command('rotate')
    .description('sign with a new key from now on; what was signed before goes on holding')
    .action(
      action(cli, async (call) => {
        const key = await call.api().rotateSigningKey()
        call.show(key, () => `Signing with ${key.id} from now on.\n${key.public_key}`)
      }),
    )
}
