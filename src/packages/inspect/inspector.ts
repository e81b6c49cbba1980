import { extname } from 'node:path'
import type { Finding, Handler } from '../../model/packages.ts'
import type { Driver, ToolResult, ToolSpec } from '../../runtime/driver.ts'
import type { ToolFiles } from '../../runtime/tool-files.ts'
import type { Draft, Inspection, Unpacked } from '../draft.ts'
import { INSPECTORS, type Program } from './programs.ts'
import { missingModules } from './missing-modules.ts'
import { type ProgramResult, readReport } from './report.ts'

export interface InspectorOptions {
  readonly tool: Driver['tool']
  readonly files: ToolFiles
  /** Most that one of the two programs may take; four times that if others had the processors meanwhile. Default: 20,000. */
  readonly timeoutMs?: number
}

/**
 * Reads the code of a package in sandboxes and never imports it: the rules of rules.ts, the entry point, and the interface that the
 * code itself tells. Hostile code makes findings, never an error.
 * @throws SandboxError when there is no sandbox.
 */
export function createInspector(
  options: InspectorOptions,
): (unpacked: Unpacked, draft: Draft, signal?: AbortSignal) => Promise<Inspection> {
  return async (unpacked, draft, signal) => {
    const task = JSON.stringify({ format: draft.format, entry: draft.entry })
    const run = async (program: Program): Promise<ProgramResult> => {
      const { argv, binds } = await INSPECTORS[program](options.files, draft.runtime)
      const spec: ToolSpec = {
        argv: [...argv, PACKAGE],
        binds: [...binds, { source: unpacked.dir, target: PACKAGE }],
        stdin: task,
        memory_mb: 512,
        disk_mb: 8,
        timeout_ms: options.timeoutMs ?? 20_000,
        pids: 32,
        output_bytes: 4 * 2 ** 20,
      }
      const result = await options.tool(spec, signal)
      signal?.throwIfAborted()
      if (!wasStarved(result, spec)) return readReport(result)
      const again = await options.tool({ ...spec, timeout_ms: LONGER * spec.timeout_ms }, signal)
      signal?.throwIfAborted()
      return readReport(again)
    }
    const hasScript = unpacked.files.some((file) => JAVASCRIPT.has(extname(file.path)))
    // Python reads the texts of all files as well, so it always runs.
    const [python, node] = await Promise.all([
      run('python'),
      hasScript || draft.format === 'typescript' ? run('node') : null,
    ])
    const main = draft.format === 'typescript' ? node : python
    const findings = [...python.findings, ...(node?.findings ?? [])]
    return {
      findings: sorted([...findings, ...undeclared(unpacked, python)]),
      description: main?.description ?? null,
      input_schema: draft.format === 'skill-md' ? null : (main?.input_schema ?? null),
      output_schema: draft.format === 'skill-md' ? null : (main?.output_schema ?? null),
      handler: handlerOf(unpacked, draft, main),
      imports: python.imports,
    }
  }
}

const LONGER = 3

/** Sandboxes go behind all else on a busy machine: what the package cannot help is not held against it. Where nobody counts, it is believed. */
function wasStarved({ ended, usage }: ToolResult, { timeout_ms }: ToolSpec): boolean {
  return ended === 'timeout' && (usage.cpu_ms ?? 0) < timeout_ms / 2
}

const PACKAGE = '/package'
const JAVASCRIPT = new Set(['.js', '.mjs', '.cjs', '.jsx', '.ts', '.mts', '.cts', '.tsx'])
const SCRIPTS = new Set(['.py', '.js', '.mjs', '.cjs', '.ts', '.mts', '.sh', '.bash'])

function handlerOf(unpacked: Unpacked, draft: Draft, result: ProgramResult | null): Handler | null {
  if (draft.format === 'skill-md') {
    const scripts = unpacked.files.filter(
      ({ path, executable }) => SCRIPTS.has(extname(path)) || (executable && path.startsWith('scripts/')),
    )
    return { kind: 'skill-md', scripts: scripts.map((file) => file.path) }
  }
  if (!result?.handler || draft.entry === null) return null
  return draft.format === 'python'
    ? { kind: 'python', file: draft.entry, function: 'handler', takes_context: result.handler.takes_context === true }
    : { kind: 'node', file: draft.entry, validates: result.handler.validates === true }
}

/** Without requirements it is known now what is missing; with them only the build can tell what they bring along. */
function undeclared(unpacked: Unpacked, python: ProgramResult): Finding[] {
  if (unpacked.files.some((file) => file.path === 'requirements.txt' && file.size > 0)) return []
  return missingModules(python.imports, new Set())
}

function sorted(findings: Finding[]): Finding[] {
  return findings.sort((a, b) => compare(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
