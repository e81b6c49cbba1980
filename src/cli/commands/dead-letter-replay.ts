import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { type BatchOptions, batchText, deadLettersOf } from '../dead-letter-batch.ts'
import { EXIT } from '../exit-codes.ts'

export function deadLetterReplayCommand(cli: Cli): Command {
  return new Command('replay')
    .description('run dead letters again: same deployment, same input; does not wait for the new runs')
    .argument('[run]', 'id')
    .option('--all', 'all of them')
    .option('--skill <name>', 'with --all: only of this skill')
    .option('--stage <name>', 'with --all: only of this stage')
    .action(
      action<BatchOptions>(cli, async (call, id?: string) => {
        const api = call.api()
        const { done, failed } = await deadLettersOf(call, api, id, 'replaying', async (run) => ({
          run,
          replayed_as: (await api.replayDeadLetter(run)).run_id,
        }))
        call.show({ replayed: done, failed }, () =>
          id === undefined ? batchText('replayed', done.length, failed) : `${done[0]!.replayed_as}\n`,
        )
        return failed.length === 0 ? EXIT.ok : EXIT.failed
      }),
    )
}
