import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { type VerifyOptions, verifyDownload } from '../verify-download.ts'
import { verifyInstalled } from '../verify-installed.ts'

export function verifyCommand(cli: Cli): Command {
  return new Command('verify')
    .description('check that the files of a skill, in a zip or a folder, are those that were signed')
    .argument('[path]', 'a zip, or a folder; default: the skills that are installed in this project')
    .option('--signature <file>', 'its signature; default: what "skillet version download" wrote beside the zip')
    .option(
      '--public-key <file>',
      'keys to trust, as PEM; may be repeated; default: those that the server names',
      added,
    )
    .action(
      action<VerifyOptions>(cli, (call, path?: string) =>
        path === undefined ? verifyInstalled(call) : verifyDownload(call, path),
      ),
    )
}

const added = (file: string, before: readonly string[] = []): string[] => [...before, file]
