import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

export function stageServeCommand(cli: Cli): Command {
  return new Command('serve')
    .description('serve a version that there is already, without uploading or building it again')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id; made when missing')
    .argument(...VERSION_ARGUMENT)
    .action(
      action(cli, async (call, skill, stage, version) => {
        const now = await call.api().serveVersion(skill, stage, version)
        call.show(now, () => `${skill} ${now.version} is served on ${stage}.\n`)
      }),
    )
}
