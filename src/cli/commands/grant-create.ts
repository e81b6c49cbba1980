import { Command } from 'commander'
import type { Page } from '../../model/page.ts'
import type { ApiKey } from '../../model/access.ts'
import type { Api } from '../api.ts'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { untilOption } from '../until.ts'

interface Options {
  readonly skill?: string[]
  readonly allSkills?: boolean
  readonly stage?: string[]
  readonly until?: string
}

export function grantCreateCommand(cli: Cli): Command {
  return new Command('create')
    .description('let a principal that is no owner use skills; its grants add up')
    .argument('<principal>', 'name or id of a key, or oidc:<issuer name>:<subject>')
    .option('--skill <skill>', 'name or id of a skill; repeatable', collect)
    .option('--all-skills', 'all skills, also those that are made later')
    .option('--stage <stage>', 'only stages of this name; repeatable; default: all', collect)
    .addOption(untilOption())
    .action(
      action<Options>(cli, async (call, principal) => {
        const { skill, allSkills, stage, until } = call.options
        if ((skill === undefined) === (allSkills !== true)) {
          throw usageError(
            skill === undefined ? 'It is not said which skills.' : 'Either some skills are meant or all.',
            'Name each with --skill, or give --all-skills.',
          )
        }
        const api = call.api()
        const grant = await api.createGrant({
          principal: await principalOf(api, principal),
          allowed_skills: skill ?? ['*'],
          stages: stage ?? null,
          expires_at: until ?? null,
        })
        call.show(grant, () => `${grant.id}\n`)
      }),
    )
}

/** A key may be named, if only one that is in force has the name. */
async function principalOf(api: Api, text: string): Promise<string> {
  if (/^(key_|oidc:)/.test(text)) return text
  const named: string[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<ApiKey> = await api.listKeys({ limit: 200, cursor })
    const inForce = page.items.filter(({ name, revoked_at }) => name === text && revoked_at === null)
    named.push(...inForce.map(({ id }) => id))
    cursor = page.next
  }
  if (named.length === 1) return named[0]!
  throw usageError(
    named.length === 0 ? `No key is named "${text}".` : `${named.length} keys are named "${text}".`,
    'Give the id of the key: "skillet key list" shows it.',
  )
}

const collect = (one: string, before: string[] | undefined): string[] => [...(before ?? []), one]
