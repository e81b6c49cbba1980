import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { stateOf } from '../in-force.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function keyListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list API keys, newest first, revoked and expired ones too')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--operator', "operators' keys")
    .action(
      action<{ limit: number; cursor?: string; operator?: boolean }>(cli, async (call) => {
        const { limit, cursor, operator } = call.options
        const page = await call.api(operator === true ? 'operator' : undefined).listKeys({ limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((key) => [
            key.id,
            key.role,
            `${key.prefix}…`,
            stateOf(key),
            key.last_used_at,
            key.created_at,
            key.name,
          ])
          return table(['KEY', 'ROLE', 'PREFIX', 'STATE', 'LAST USED', 'CREATED', 'NAME'], rows) + moreText(page.next)
        })
      }),
    )
}
