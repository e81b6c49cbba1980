import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

interface Options {
  readonly after: string
  readonly output?: string
  readonly operator?: boolean
}

export function auditExportCommand(cli: Cli): Command {
  return new Command('export')
    .description('write the audit log as JSON lines, oldest first')
    .option('--after <row>', 'only rows after this number', '0')
    .option('--output <file>', 'write to this new file, readable by you only, instead of stdout')
    .option('--operator', "the operator's own log")
    .action(
      action<Options>(cli, async (call) => {
        const { after, output, operator } = call.options
        if (!/^\d{1,15}$/.test(after))
          throw usageError(`"${after}" is no row.`, 'Give the number of a row: --after 120.')
        const lines = call.api(operator === true ? 'operator' : undefined).exportAudit(Number(after))
        if (output === undefined) {
          for await (const line of lines) call.io.out(`${line}\n`)
          return
        }
        const file = resolve(call.io.cwd, output)
        const rows = await writeLines(file, lines)
        call.show({ file, rows }, () => `${rows} rows in ${file}\n`)
      }),
    )
}

async function writeLines(file: string, lines: AsyncIterable<string>): Promise<number> {
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(EXIT.usage, `The log cannot be written to ${file}.`, {
      why: error.code === 'EEXIST' ? 'There is such a file already.' : error.message,
      fix: 'Name a new file in a folder that is yours.',
      cause: error,
    })
  })
  let rows = 0
  try {
    for await (const line of lines) {
      await handle.writeFile(`${line}\n`)
      rows++
    }
    await handle.sync()
  } catch (error) {
    // Half a log would be taken for a whole one, whose end cannot be missed.
    await rm(file)
    throw error
  } finally {
    await handle.close()
  }
  return rows
}
