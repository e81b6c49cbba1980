import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function stagePromoteCommand(cli: Cli): Command {
  return new Command('promote')
    .description('serve on another stage what this one serves, without building it again')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .argument('<to>', 'the other stage; made when missing')
    .action(
      action(cli, async (call, skill, stage, to) => {
        const now = await call.api().promote(skill, stage, to)
        call.show(now, () => `${skill} ${now.version} is served on ${to}.\n`)
      }),
    )
}
