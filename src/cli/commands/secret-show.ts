import { Command } from 'commander'
import { type Cli, action } from '../call.ts'

export function secretShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show what is known of a secret; its value is not')
    .argument('<secret>', 'name or id')
    .action(
      action(cli, async (call, name) => {
        const secret = await call.api().findSecret(name)
        const { id, kind, path, revision, created_at, created_by, updated_at } = secret
        call.show(secret, () =>
          [
            `${secret.name} (${id})`,
            `kind      ${kind}`,
            `path      ${path}`,
            `revision  ${revision}, since ${updated_at}`,
            `created   ${created_at} by ${created_by}`,
            '',
          ].join('\n'),
        )
      }),
    )
}
