import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { confirmed } from '../confirm.ts'
import { type BatchOptions, batchText, deadLettersOf } from '../dead-letter-batch.ts'
import { EXIT } from '../exit-codes.ts'

export function deadLetterDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('let dead letters be; the runs stay as runs that failed')
    .argument('[run]', 'id')
    .option('--all', 'all of them')
    .option('--skill <name>', 'with --all: only of this skill')
    .option('--stage <name>', 'with --all: only of this stage')
    .option('-y, --yes', 'do not ask')
    .action(
      action<BatchOptions & { yes?: boolean }>(cli, async (call, id?: string) => {
        const api = call.api()
        if (id === undefined && call.options.all === true) await confirmed(call, 'Delete all these dead letters?')
        const { done, failed } = await deadLettersOf(call, api, id, 'deleting', async (run) => {
          await api.deleteDeadLetter(run)
          return run
        })
        call.show({ deleted: done, failed }, () => batchText('deleted', done.length, failed))
        return failed.length === 0 ? EXIT.ok : EXIT.failed
      }),
    )
}
