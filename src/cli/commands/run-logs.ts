import { Command } from 'commander'
import { isTerminal } from '../../model/runs.ts'
import type { LogLine } from '../../model/runs.ts'
import { type Cli, action } from '../call.ts'
import { logText } from '../show-run.ts'

export function runLogsCommand(cli: Cli): Command {
  return new Command('logs')
    .description('print the log of a run')
    .argument('<run>', 'id')
    .option('--follow', 'wait for more until the run ends')
    .action(
      action<{ follow?: boolean }>(cli, async (call, id) => {
        const api = call.api()
        const print = (line: LogLine): void =>
          call.io.out(call.options.json === true ? `${JSON.stringify(line)}\n` : logText(line, call.paint))
        if (call.options.follow === true || isTerminal((await api.findRun(id)).status)) {
          for await (const event of api.followRun(id)) if (event.type === 'log') event.data.lines.forEach(print)
          return
        }
        for await (const line of api.logs(id)) print(line)
      }),
    )
}
