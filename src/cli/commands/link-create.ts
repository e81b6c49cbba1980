import { Command } from 'commander'
import { AGENT_STAGE } from '../../model/skills.ts'
import { type Cli, action } from '../call.ts'
import { untilOption } from '../until.ts'

interface Options {
  readonly skill?: readonly string[]
  readonly stage: string
  readonly until?: string
}

export function linkCreateCommand(cli: Cli): Command {
  return new Command('create')
    .description('make a URL through which skill files are fetched without a key; it is shown this once')
    .argument('<name>', 'what it is for')
    .option(
      '--skill <name>',
      'skill that it is for, by name or id; may be repeated; default: all, also later ones',
      added,
    )
    .option('--stage <name>', 'whose versions are fetched', AGENT_STAGE)
    .addOption(untilOption())
    .action(
      action<Options>(cli, async (call, name = '') => {
        const { skill = ['*'], stage, until: expires_at = null, json } = call.options
        const link = await call.api().createLink({ name, stage, skills: [...skill], expires_at })
        if (json !== true)
          call.io.err(`Link ${link.id} was made. Whoever has the URL has the skills. Shown this once:\n`)
        call.show(link, () => `${link.url}\n`)
      }),
    )
}

const added = (skill: string, before: readonly string[] = []): string[] => [...before, skill]
