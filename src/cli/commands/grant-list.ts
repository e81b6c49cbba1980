import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

interface Options {
  readonly principal?: string
  readonly limit: number
  readonly cursor?: string
}

export function grantListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list grants, newest first, expired ones too')
    .option('--principal <principal>', 'only of this one: id of a key, or oidc:<issuer name>:<subject>')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<Options>(cli, async (call) => {
        const { principal, limit, cursor } = call.options
        const page = await call.api().listGrants({ principal, limit, cursor })
        call.show(page, () => {
          const rows = page.items.map((grant) => [
            grant.id,
            grant.principal,
            grant.expires_at ?? 'for ever',
            grant.stages?.join(',') ?? 'all',
            grant.allowed_skills.join(',').replace(/^\*$/, 'all'),
          ])
          return table(['GRANT', 'PRINCIPAL', 'UNTIL', 'STAGES', 'SKILLS'], rows) + moreText(page.next)
        })
      }),
    )
}
