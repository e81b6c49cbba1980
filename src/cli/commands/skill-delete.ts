import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

export function skillDeleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete a skill with its stages and versions; the records of its runs stay')
    .argument('<skill>', 'name or id')
    .option('-y, --yes', 'do not ask')
    .action(
      action<{ yes?: boolean }>(cli, async (call, name) => {
        const { io, options } = call
        if (options.yes !== true) {
          if (!io.tty.in || !io.tty.err)
            throw usageError('Nobody is there to confirm the deletion.', 'Confirm with --yes.')
          // Loaded when somebody is asked: most commands ask nothing, and start faster without.
          const { confirm, isCancel } = await import('@clack/prompts')
          const answer = await confirm({
            message: `Delete ${name} with all its stages and versions?`,
            initialValue: false,
          })
          if (isCancel(answer) || !answer) throw new CliError(EXIT.interrupted, 'Nothing was deleted.')
        }
        await call.api().deleteSkill(name)
        call.show({ deleted: name }, () => `${name} was deleted.\n`)
      }),
    )
}
