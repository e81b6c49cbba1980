import { resolve } from 'node:path'
import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { downloadVersion } from '../download-version.ts'
import { verifiedText } from '../verify-download.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

export function versionDownloadCommand(cli: Cli): Command {
  return new Command('download')
    .description('take the files of a version as a zip, and its signature into a file beside it; both are checked')
    .argument('<skill>', 'name or id')
    .argument(...VERSION_ARGUMENT)
    .option('-o, --output <file>', 'a new file; default: <skill>-<number>.zip')
    .action(
      action<{ output?: string }>(cli, async (call, skill, name) => {
        const { io, options } = call
        const fileOf = (number: string): string => resolve(io.cwd, options.output ?? `${skill}-${number}.zip`)
        const done = await downloadVersion(call.api(), { skill, name, layout: 'folder', fileOf })
        call.show(done, () => verifiedText(done.file, done))
      }),
    )
}
