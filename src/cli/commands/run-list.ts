import { Command, InvalidArgumentError, Option } from 'commander'
import { RunStatus } from '../../model/runs.ts'
import type { RunQuery } from '../api.ts'
import { type Cli, action } from '../call.ts'
import { duration, table } from '../table.ts'

export function runListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list runs, newest first')
    .option('--skill <name>', 'only of this skill')
    .option('--stage <name>', 'only of this stage')
    .addOption(new Option('--status <status>', 'only with this status').choices(RunStatus.options))
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<RunQuery>(cli, async (call) => {
        const { skill, stage, status, limit, cursor } = call.options
        const page = await call.api().listRuns({ skill, stage, status, limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((run) => [
            run.id,
            run.status,
            run.reason,
            run.version,
            run.created_at,
            duration(run.execution_ms),
          ])
          return table(['RUN', 'STATUS', 'REASON', 'VERSION', 'CREATED', 'EXECUTION'], rows) + moreText(page.next)
        })
      }),
    )
}

export function limitOption(): Option {
  return new Option('--limit <count>', 'at most this many, 1 to 200').default(20).argParser((text) => {
    const limit = Number(text)
    if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit
    throw new InvalidArgumentError('It is not a whole number from 1 to 200.')
  })
}

export const moreText = (next: string | null): string => (next === null ? '' : `There are more: --cursor ${next}\n`)
