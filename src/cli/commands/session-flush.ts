import { Command } from 'commander'
import type { Flushed } from '../../model/sessions.ts'
import type { Api } from '../api.ts'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'

export function sessionFlushCommand(cli: Cli): Command {
  return new Command('flush')
    .description('end the sandboxes of a stage, or of the tenant: idle ones now, busy ones after their run')
    .argument('[stage]', 'as <skill>/<stage>, names or ids; default: all stages that you may flush')
    .option('--all', "with the operator's key: those of all tenants")
    .action(
      action<{ all?: boolean }>(cli, async (call, stage: string | undefined) => {
        const { all } = call.options
        if (all === true && stage !== undefined) {
          throw usageError('A stage and --all were given.', 'Give one of them.')
        }
        const done = all === true ? await call.api('operator').flushServer() : await flush(call.api(), stage)
        call.show(
          done,
          () => `${done.ended} sandbox(es) ended, ${done.after_run} end(s) after the run that is under way.\n`,
        )
      }),
    )
}

async function flush(api: Api, stage: string | undefined): Promise<Flushed> {
  if (stage === undefined) return api.flushSessions()
  const [skill, name, ...more] = stage.split('/')
  if (skill === '' || skill === undefined || name === undefined || name === '' || more.length > 0) {
    throw usageError(`"${stage}" names no stage.`, 'Give <skill>/<stage>, such as notes/prod.')
  }
  return api.flushStage(skill, name)
}
