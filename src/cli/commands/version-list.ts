import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function versionListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the versions of a skill, highest first')
    .argument('<skill>', 'name or id')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<{ limit: number; cursor?: string }>(cli, async (call, skill) => {
        const { limit, cursor } = call.options
        const page = await call.api().listVersions(skill, { limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((one) => [one.version, one.sequence, one.created_at, one.created_by, one.digest])
          return table(['VERSION', 'NO', 'CREATED', 'BY', 'DIGEST'], rows) + moreText(page.next)
        })
      }),
    )
}
