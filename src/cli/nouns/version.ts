import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { versionDiffCommand } from '../commands/version-diff.ts'
import { versionDownloadCommand } from '../commands/version-download.ts'
import { versionListCommand } from '../commands/version-list.ts'
import { versionShowCommand } from '../commands/version-show.ts'
import { versionSignatureCommand } from '../commands/version-signature.ts'
import { versionWithdrawCommand } from '../commands/version-withdraw.ts'
import { noun } from './noun.ts'

export function versionCommands(cli: Cli): Command {
  return noun('version', 'versions of skills: list, show, diff, download, signature, withdraw', [
    versionListCommand(cli),
    versionShowCommand(cli),
    versionDiffCommand(cli),
    versionDownloadCommand(cli),
    versionSignatureCommand(cli),
    versionWithdrawCommand(cli),
  ])
}
