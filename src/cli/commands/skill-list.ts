import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { clip, table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function skillListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list skills, newest first')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<{ limit: number; cursor?: string }>(cli, async (call) => {
        const { limit, cursor } = call.options
        const page = await call.api().listSkills({ limit, cursor })
        call.show(page, () => {
          const rows = page.items.map(({ name, description, updated_at }) => [name, updated_at, clip(description)])
          return table(['SKILL', 'UPDATED', 'DESCRIPTION'], rows) + moreText(page.next)
        })
      }),
    )
}
