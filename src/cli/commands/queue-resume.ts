import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { queueText } from '../queue-text.ts'

export function queueResumeCommand(cli: Cli): Command {
  return new Command('resume').description('let the runs of the tenant begin again').action(
    action(cli, async (call) => {
      const queues = await call.api().pauseQueues(false)
      call.show(queues, () => queueText(queues))
    }),
  )
}
