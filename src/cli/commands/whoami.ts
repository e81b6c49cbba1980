import { Command } from 'commander'
import type { Grant } from '../../model/access.ts'
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
            ...me.grants.map((grant) => `grant   ${grantText(grant)}  (${grant.id})`),
            '',
          ].join('\n'),
        )
      }),
    )
}

function grantText({ allowed_skills, stages, expires_at }: Grant): string {
  const skills = allowed_skills.includes('*') ? 'all skills' : allowed_skills.join(', ')
  const on = stages === null ? '' : ` on ${stages.join(', ')}`
  return `${skills}${on}${expires_at === null ? '' : ` until ${expires_at}`}`
}
