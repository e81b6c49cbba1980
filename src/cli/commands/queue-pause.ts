import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { queueText } from '../queue-text.ts'

export function queuePauseCommand(cli: Cli): Command {
  return new Command('pause')
    .description('let no run of the tenant begin; what runs goes on, what is begun waits')
    .action(
      action(cli, async (call) => {
        const queues = await call.api().pauseQueues(true)
        call.show(queues, () => queueText(queues))
      }),
    )
}
