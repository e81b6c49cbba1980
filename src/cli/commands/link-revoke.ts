import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function linkRevokeCommand(cli: Cli): Command {
  return new Command('revoke')
    .description('let nobody fetch anything through a link from now on, for ever')
    .argument('<link>', 'its id, as "link list" shows it')
    .action(
      action(cli, async (call, id = '') => {
        const link = await call.api().revokeLink(id)
        call.show(link, () => `${link.id} (${link.name}) is revoked since ${link.revoked_at}.\n`)
      }),
    )
}
