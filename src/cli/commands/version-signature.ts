import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

export function versionSignatureCommand(cli: Cli): Command {
  return new Command('signature')
    .description('print the signature over a version: a DSSE envelope, as JSON')
    .argument('<skill>', 'name or id')
    .argument(...VERSION_ARGUMENT)
    .action(
      action(cli, async (call, skill, version) => {
        const envelope = await call.api().versionSignature(skill, version)
        call.show(envelope, () => `${JSON.stringify(envelope)}\n`)
      }),
    )
}
