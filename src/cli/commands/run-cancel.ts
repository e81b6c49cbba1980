import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function runCancelCommand(cli: Cli): Command {
  return new Command('cancel')
    .description('cancel a run: at once while it is queued, else its sandbox is stopped')
    .argument('<run>', 'id')
    .action(
      action(cli, async (call, id) => {
        const run = await call.api().cancelRun(id)
        call.show(run, () => `${run.id} ${run.status === 'running' ? 'is being cancelled' : `is ${run.status}`}\n`)
      }),
    )
}
