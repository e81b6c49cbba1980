import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { AuditEvent } from '../../model/audit.ts'
import { AuditChain, type ChainHead } from '../../model/audit-chain.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

interface Options {
  readonly file?: string
  readonly expect?: string
  readonly operator?: boolean
}

export function auditVerifyCommand(cli: Cli): Command {
  return new Command('verify')
    .description('check that no row of the audit log was edited, removed, added or moved')
    .option('--file <path>', 'an exported log instead of the one of the server')
    .option('--expect <row:hash>', 'an end of the log that was printed and kept before: it must still be in it')
    .option('--operator', "the operator's own log")
    .action(
      action<Options>(cli, async (call) => {
        const expected = call.options.expect === undefined ? null : headOf(call.options.expect)
        const head = await verify(call, expected)
        call.show(
          { ok: true, head },
          () => `ok    ${head.seq} rows, none changed. The end, to be kept elsewhere:\n${head.seq}:${head.hash}\n`,
        )
      }),
    )
}

async function verify(call: Call<Options>, kept: ChainHead | null): Promise<ChainHead> {
  const { file, operator } = call.options
  if (file !== undefined) {
    return follow(linesOf(resolve(call.io.cwd, file)), [kept])
  }
  const api = call.api(operator === true ? 'operator' : undefined)
  // Rows may be written meanwhile: the end is asked for before and after, and the log has to lie in between.
  const before = await api.auditHead()
  const end = await follow(api.exportAudit(0), [kept, before])
  const after = await api.auditHead()
  if (end.seq > after.seq) throw broken(`rows ${after.seq + 1} to ${end.seq} were added behind the end`)
  return end
}

async function* linesOf(file: string): AsyncGenerator<string, void> {
  try {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  } catch (error) {
    const fix = 'Name a file that "skillet audit export" made.'
    throw usageError(`The log cannot be read from ${file}: ${(error as Error).message}`, fix)
  }
}

/** @param anchors Rows that the log must contain. */
async function follow(lines: AsyncIterable<string>, anchors: readonly (ChainHead | null)[]): Promise<ChainHead> {
  const chain = new AuditChain()
  for await (const line of lines) {
    if (line === '') continue
    const fault = chain.add(eventOf(line, chain.head.seq + 1))
    if (fault !== null) throw broken(fault)
    for (const anchor of anchors) {
      if (anchor?.seq !== chain.head.seq || anchor.hash === chain.head.hash) continue
      throw broken(`row ${anchor.seq} is not the one that it was: the log was written anew`)
    }
  }
  const last = Math.max(0, ...anchors.map((anchor) => anchor?.seq ?? 0))
  if (last > chain.head.seq) throw broken(`rows ${chain.head.seq + 1} to ${last} are missing at the end`)
  return chain.head
}

function eventOf(line: string, row: number): AuditEvent {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw broken(`row ${row} is not JSON`)
  }
  const event = AuditEvent.safeParse(value)
  if (event.success) return event.data
  throw broken(`row ${row} is not a row of an audit log: ${event.error.issues[0]!.path.join('.')}`)
}

function headOf(text: string): ChainHead {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (match === null)
    throw usageError(
      `"${text}" is no end of a log.`,
      'Give what "skillet audit verify" printed: number, colon, 64 hex digits.',
    )
  return { seq: Number(match[1]), hash: match[2]! }
}

const broken = (fault: string): CliError =>
  new CliError(EXIT.failed, `The audit log does not hold: ${fault}.`, {
    fix: 'Keep a copy of the log as it is now, and compare it with an export or a backup made before.',
  })
