import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { queueText } from '../queue-text.ts'

export function queueShowCommand(cli: Cli): Command {
  return new Command('show').description('show how many runs wait, and whether they may begin').action(
    action(cli, async (call) => {
      const queues = await call.api().queues()
      call.show(queues, () => queueText(queues))
    }),
  )
}
