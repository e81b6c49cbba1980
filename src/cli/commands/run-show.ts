import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { endText } from '../show-run.ts'

export function runShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a run: how it ended, its times, its input and output')
    .argument('<run>', 'id')
    .action(
      action(cli, async (call, id) => {
        const run = await call.api().findRun(id)
        call.show(run, () => {
          const { version, attempt, created_at, finished_at, usage, session } = run
          const memory = usage?.peak_memory_bytes
          return [
            endText(run, call.paint).trimEnd(),
            `version ${version}, attempt ${attempt}, created ${created_at}${finished_at === null ? '' : `, finished ${finished_at}`}`,
            ...(session === null ? [] : [`in ${session}`]),
            ...(usage === null
              ? []
              : [
                  `used ${Math.round(usage.wall_ms)} ms of time${usage.cpu_ms === null ? '' : `, ${Math.round(usage.cpu_ms)} ms of CPU`}${memory ? `, ${(memory / 1e6).toFixed(0)} MB of memory` : ''}`,
                ]),
            `input ${JSON.stringify(run.input, null, 2)}`,
            ...(run.status === 'succeeded' ? [`output ${JSON.stringify(run.output, null, 2)}`] : []),
            '',
          ].join('\n')
        })
      }),
    )
}
