import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { followToEnd } from './invoke.ts'

export function runReplayCommand(cli: Cli): Command {
  return new Command('replay')
    .description('run again what a run ran: same deployment, same input')
    .argument('<run>', 'id')
    .option('--detach', 'do not wait: print the id of the new run')
    .action(
      action<{ detach?: boolean }>(cli, async (call, id) => {
        const api = call.api()
        const answer = await api.replayRun(id)
        if (call.options.detach === true) return call.show(answer, () => `${answer.run_id}\n`)
        return await followToEnd(call, api, answer.run_id, call.options.json === true)
      }),
    )
}
