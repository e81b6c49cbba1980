import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { stateOf } from '../in-force.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function linkListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list links, newest first, revoked and expired ones too')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<{ limit: number; cursor?: string }>(cli, async (call) => {
        const { limit, cursor } = call.options
        const page = await call.api().listLinks({ limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((link) => [
            link.id,
            `${link.prefix}…`,
            link.stage,
            link.skills.includes('*') ? 'all' : `${link.skills.length}`,
            stateOf(link),
            link.last_used_at,
            link.created_at,
            link.name,
          ])
          const header = ['LINK', 'PREFIX', 'STAGE', 'SKILLS', 'STATE', 'LAST USED', 'CREATED', 'NAME']
          return table(header, rows) + moreText(page.next)
        })
      }),
    )
}
