import { resolve } from 'node:path'
import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function backupCommand(cli: Cli): Command {
  return new Command('backup')
    .description("with the operator's key: take all state of a running server into a new file")
    .argument('<file>', 'where to; it is there when it is whole')
    .option('--without-keys', "leave out the data folder's keys; without the master key its secrets stay closed")
    .action(
      action<{ withoutKeys?: boolean }>(cli, async (call, name) => {
        const { io, options, progress } = call
        const { saveBackup } = await import('../save-backup.ts')
        const file = resolve(io.cwd, name)
        const keys = options.withoutKeys !== true
        progress.begin('taking a backup')
        const source = call.api('operator').backup({ keys })
        const { manifest, bytes } = await saveBackup(source, file, (done, all) => progress.amount(done / all))
        progress.end()
        const { created_at, missing, members } = manifest
        if (missing.length > 0)
          progress.note(`${missing.length} blob(s) were missing on the server: ${missing.join(', ')}`)
        call.show({ file, bytes, created_at, keys, members: members.length, missing }, () =>
          [
            `${file}: ${members.length} files, ${bytes} bytes, as of ${created_at}`,
            keys
              ? 'It holds the keys, too: whoever can read it can read every secret.'
              : 'It holds no keys: keep them elsewhere.',
            '',
          ].join('\n'),
        )
      }),
    )
}
