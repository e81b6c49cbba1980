import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function secretListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list secrets without their values, newest first')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<{ limit: number; cursor?: string }>(cli, async (call) => {
        const { limit, cursor } = call.options
        const page = await call.api().listSecrets({ limit, cursor })
        call.show(page, () => {
          const rows = page.items.map(({ name, id, kind, revision, updated_at }) => [
            name,
            id,
            kind,
            revision,
            updated_at,
          ])
          return table(['NAME', 'SECRET', 'KIND', 'REVISION', 'UPDATED'], rows) + moreText(page.next)
        })
      }),
    )
}
