import { z } from 'zod'
import { AnyObject } from '../../model/json.ts'
import type { Finding } from '../../model/packages.ts'
import type { ToolResult } from '../../runtime/driver.ts'
import type { ImportedModule } from '../draft.ts'
import { makeFinding } from '../finding.ts'
import { reportLines } from '../report-lines.ts'
import { SCAN_RULES } from './rules.ts'

/** What one of the programs in the sandbox said. */
export interface ProgramResult {
  readonly findings: Finding[]
  readonly description: string | null
  readonly input_schema: Record<string, unknown> | null
  readonly output_schema: Record<string, unknown> | null
  readonly handler: { takes_context?: boolean | undefined; validates?: boolean | undefined } | null
  readonly imports: ImportedModule[]
}

/** Reads the lines of a program. One that was stopped or broke becomes a finding about the file it was reading. */
export function readReport(result: ToolResult): ProgramResult {
  const findings: Finding[] = []
  let file: string | undefined
  let end: z.infer<typeof Result> | null = null
  for (const line of reportLines(result.stdout, Line)) {
    if (line.file !== undefined) file = line.file
    if (line.finding) {
      const { rule, message, file: where, line: number } = line.finding
      findings.push(scanFinding(rule, message, where ?? undefined, number ?? undefined))
    }
    if (line.result) end = line.result
  }
  if (!end) {
    const when = file === undefined ? 'before it had read a file' : 'while reading this file'
    findings.push(scanFinding('scan.stopped', `The scan ${STOPPED[result.ended]} ${when}`, file))
  }
  return {
    findings,
    description: end?.description ?? null,
    input_schema: end?.input_schema ?? null,
    output_schema: end?.output_schema ?? null,
    handler: end?.handler ?? null,
    imports: end?.imports ?? [],
  }
}

/** @throws when the table has no such rule: an error of ours. */
export function scanFinding(rule: string, message: string, file?: string, line?: number): Finding {
  const entry = Object.hasOwn(SCAN_RULES, rule) ? SCAN_RULES[rule] : undefined
  if (!entry) throw new Error(`The scan reported the rule "${rule}", which rules.ts does not list.`)
  return makeFinding(rule, entry.severity, message, { file, line }, entry.fix)
}

const STOPPED: Record<ToolResult['ended'], string> = {
  exit: 'broke off',
  signal: 'crashed',
  timeout: 'took too long',
  memory_limit: 'ran out of memory',
  output_limit: 'found too much',
  cancelled: 'was cancelled',
}

const Result = z.object({
  description: z.string().nullish(),
  input_schema: AnyObject.nullish(),
  output_schema: AnyObject.nullish(),
  handler: z.object({ takes_context: z.boolean().optional(), validates: z.boolean().optional() }).nullish(),
  imports: z
    .array(z.object({ module: z.string(), file: z.string(), line: z.number(), stdlib: z.boolean(), top: z.boolean() }))
    .optional(),
})

const Line = z.object({
  file: z.string().optional(),
  finding: z
    .object({ rule: z.string(), message: z.string(), file: z.string().nullable(), line: z.number().nullable() })
    .optional(),
  result: Result.optional(),
})
