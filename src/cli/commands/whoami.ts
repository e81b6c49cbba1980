import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function whoamiCommand(cli: Cli): Command {
  return new Command('whoami')
    .description('show which server and which key the commands use, and where they were found')
    .action(
      action(cli, async (call) => {
        const { url, source } = call.connection()
        const me = await call.api().whoami()
        call.show({ url, ...me, url_source: source.url, key_source: source.key }, () =>
          [
            `server  ${url}  (${source.url})`,
            `key     ${me.key}  (${source.key})`,
            `role    ${me.role}`,
            `tenant  ${me.tenant}`,
            '',
          ].join('\n'),
        )
      }),
    )
}
