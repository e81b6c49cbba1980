import { resolve } from 'node:path'
import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

export function restoreCommand(cli: Cli): Command {
  return new Command('restore')
    .description('make a data folder of a backup; no server is needed')
    .argument('<file>', 'what "skillet backup" wrote')
    .action(
      action(cli, async (call, name) => {
        const { io, options, progress } = call
        if (options.data === undefined) {
          throw usageError('No data folder is named.', 'Name one that is missing or empty: --data <folder>.')
        }
        const { restoreBackup } = await import('../../upkeep/restore.ts')
        const [file, data] = [resolve(io.cwd, name), resolve(io.cwd, options.data)]
        progress.begin('restoring a backup')
        const restoring = restoreBackup(file, data, (done, all) => progress.amount(done / all))
        const { created_at, keys, missing, skillet } = await restoring.catch((error: unknown) => {
          throw restoreError(error, file)
        })
        progress.end()
        if (missing.length > 0) progress.note(`${missing.length} blob(s) were missing in the server already`)
        call.show({ data, created_at, skillet, keys, missing }, () =>
          [
            `${data} is as of ${created_at}.`,
            keys
              ? `Start it: skillet serve --data ${data}`
              : `It has no keys: put master.key into it, or set SKILLET_MASTER_KEY, before you start it.`,
            '',
          ].join('\n'),
        )
      }),
    )
}

/** Faults of files as what they are: something about the backup, the folder or the disk. */
function restoreError(error: unknown, file: string): unknown {
  const { code, message, fix } = error as { code?: string; message: string; fix?: string }
  if (fix !== undefined) {
    return new CliError(EXIT.failed, message, { fix, cause: error, data: code === 'backup_invalid' ? { code } : {} })
  }
  if (code === undefined) return error
  const remedy = code === 'ENOENT' ? 'Name the file of a backup.' : 'Mend that, and restore it again: nothing was kept.'
  return new CliError(EXIT.failed, `The backup ${file} cannot be restored.`, {
    why: message,
    fix: remedy,
    cause: error,
  })
}
