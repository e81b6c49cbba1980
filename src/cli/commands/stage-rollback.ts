import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'

interface Options {
  readonly to?: string
  readonly deployment?: string
}

export function stageRollbackCommand(cli: Cli): Command {
  return new Command('rollback')
    .description('serve again what the stage served before')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .option('--to <version>', 'a version that it served; default: the one before the present one')
    .option('--deployment <id>', 'a deployment that it served')
    .action(
      action<Options>(cli, async (call, skill, stage) => {
        const { to, deployment } = call.options
        if (to !== undefined && deployment !== undefined) {
          throw usageError('--to and --deployment both say where to go.', 'Give one of them.')
        }
        const now = await call.api().rollback(skill, stage, {
          ...(to !== undefined && { version: to }),
          ...(deployment !== undefined && { deployment }),
        })
        call.show(now, () => `${skill} on ${stage} serves ${now.version} again.\n`)
      }),
    )
}
