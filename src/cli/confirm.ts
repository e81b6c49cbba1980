import type { Call } from './call.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Asks, unless --yes has answered already. @throws CliError when nobody is there, or when the answer is no */
export async function confirmed(call: Call<{ yes?: boolean }>, question: string): Promise<void> {
  const { io, options } = call
  if (options.yes === true) return
  if (!io.tty.in || !io.tty.err || options.json === true) {
    throw usageError('Nobody is there to confirm the deletion.', 'Confirm with --yes.')
  }
  // Loaded when somebody is asked: most commands ask nothing, and start faster without.
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false })
  if (isCancel(answer) || !answer) throw new CliError(EXIT.interrupted, 'Nothing was deleted.')
}
