import { Command } from 'commander'
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
    .argument('<principal>', 'id of a key, or oidc:<issuer name>:<subject>')
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
        const grant = await call.api().createGrant({
          principal,
          allowed_skills: skill ?? ['*'],
          stages: stage ?? null,
          expires_at: until ?? null,
        })
        call.show(grant, () => `${grant.id}\n`)
      }),
    )
}

const collect = (one: string, before: string[] | undefined): string[] => [...(before ?? []), one]
