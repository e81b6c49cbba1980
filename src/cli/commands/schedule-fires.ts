import { Command } from 'commander'
import type { PageOptions } from '../../model/page.ts'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function scheduleFiresCommand(cli: Cli): Command {
  return new Command('fires')
    .description('list what became of the instants of a schedule, newest first; also after it was deleted')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<PageOptions>(cli, async (call, skill, stage) => {
        const { limit, cursor } = call.options
        const page = await call.api().listFires(skill, stage, { limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((fire) => [
            fire.scheduled_for,
            fire.outcome,
            fire.run ?? (fire.missed_until === null ? null : `all until ${fire.missed_until}`),
            fire.fired_at,
          ])
          return table(['INSTANT', 'OUTCOME', 'RUN', 'WRITTEN'], rows) + moreText(page.next)
        })
      }),
    )
}
