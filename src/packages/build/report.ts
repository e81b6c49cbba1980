import { z } from 'zod'
import type { Finding } from '../../model/packages.ts'
import type { ToolResult } from '../../runtime/driver.ts'
import { isDenied, makeFinding } from '../finding.ts'
import { reportLines } from '../report-lines.ts'
import { BUILD_RULES } from './rules.ts'

/** What has to be fetched: by which kind of package manager, and the names. */
export type Needs = z.infer<typeof Needs>
const Needs = z.object({ kind: z.enum(['python', 'node']), names: z.array(z.string()) })

export interface BuildReport {
  readonly findings: Finding[]
  readonly blob: string | null
  readonly locks: Record<string, string>
  /** Null: nothing, or it was fetched. */
  readonly needs: Needs | null
  /** First parts of the names of the Python modules that dependencies brought. */
  readonly provided: string[] | null
}

/**
 * Reads what the program in the sandbox said. One that was stopped becomes a finding that says why; so does one that says what no build
 * says: what strangers wrote has run beside it.
 * @param online It had the index in reach: needing that is no answer then.
 */
export function readBuildReport(
  result: ToolResult,
  { online }: { online: boolean },
): BuildReport & { complete: boolean } {
  let findings: Finding[] = []
  const locks: Record<string, string> = {}
  let needs: Needs | null = null
  let provided: string[] | null = null
  let complete = false
  for (const line of reportLines(result.stdout, Line)) {
    if (line.finding) {
      const { rule, message, file, line: number } = line.finding
      if (!Object.hasOwn(BUILD_RULES, rule)) return forged(`the rule "${rule.slice(0, 100)}", which there is not`)
      const one = buildFinding(rule, message, file ?? undefined, number ?? undefined)
      // What forbids the package is among those that are kept.
      if (findings.length < MOST_FINDINGS || (isDenied([one]) && !isDenied(findings))) findings.push(one)
    }
    if (online && line.needs) return forged('that it needs the index, which it had')
    if (line.lock) locks[line.lock.name] = line.lock.text
    if (line.needs) needs = line.needs
    if (line.provided) provided = line.provided
    if (line.end) complete = true
  }
  if (result.ended !== 'exit' || result.exitCode !== 0 || !(complete || needs || isDenied(findings))) {
    // What a program says that is being killed is a consequence.
    const own = result.ended === 'exit' ? findings : findings.filter((one) => one.severity === 'warn')
    findings = isDenied(own) ? own : [...own, stopped(result)]
    complete = false
    needs = null
  }
  return { findings, blob: null, locks, needs, provided, complete: complete && !isDenied(findings) }
}

/** @throws when the table has no such rule: an error of ours. */
export function buildFinding(rule: string, message: string, file?: string, line?: number): Finding {
  const entry = Object.hasOwn(BUILD_RULES, rule) ? BUILD_RULES[rule] : undefined
  if (!entry) throw new Error(`The build reported the rule "${rule}", which rules.ts does not list.`)
  return makeFinding(rule, entry.severity, message, { file, line }, entry.fix)
}

/** Nothing else of what it said counts. */
function forged(what: string): BuildReport & { complete: boolean } {
  const findings = [
    buildFinding('build.failed', `The build reported ${what}: something that ran in it tampered with it`),
  ]
  return { findings, blob: null, locks: {}, needs: null, provided: null, complete: false }
}

function stopped({ ended, usage }: ToolResult): Finding {
  switch (ended) {
    case 'timeout':
      return buildFinding('build.timeout', `The build was stopped after ${Math.round(usage.wall_ms)} ms`)
    case 'memory_limit':
      return buildFinding('build.memory', 'The build used more memory than it may, and was stopped')
    case 'output_limit':
      return buildFinding('build.too_large', 'The bundle is larger than a bundle may be')
    default:
      return buildFinding('build.failed', 'The build broke off without saying why')
  }
}

/** Requirements that are refused are one each; more than that nobody reads. */
const MOST_FINDINGS = 200

const Line = z.object({
  finding: z
    .object({
      rule: z.string(),
      message: z.string().max(10_000),
      file: z.string().max(1000).nullable(),
      line: z.int().min(0).nullable(),
    })
    .optional(),
  needs: Needs.optional(),
  lock: z.object({ name: z.enum(['requirements.lock', 'package-lock.json']), text: z.string() }).optional(),
  provided: z.array(z.string()).optional(),
  end: z.literal(true).optional(),
})
