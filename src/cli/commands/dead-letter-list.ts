import { Command } from 'commander'
import type { DeadLetterQuery } from '../api-queue.ts'
import { type Cli, action } from '../call.ts'
import { clip, table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function deadLetterListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the runs that failed for good although they were to be tried again, newest first')
    .option('--skill <name>', 'only of this skill')
    .option('--stage <name>', 'only of this stage')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<DeadLetterQuery>(cli, async (call) => {
        const { skill, stage, limit, cursor } = call.options
        const page = await call.api().listDeadLetters({ skill, stage, limit, cursor })
        call.show(page, () => {
          const rows = page.items.map(({ id, reason, attempt, finished_at, error }) => [
            id,
            reason,
            attempt,
            finished_at,
            error === null ? null : clip(error.message),
          ])
          return table(['RUN', 'REASON', 'ATTEMPTS', 'FAILED', 'ERROR'], rows) + moreText(page.next)
        })
      }),
    )
}
