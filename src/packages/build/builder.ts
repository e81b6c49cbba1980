import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Blobs } from '../../backends/ports.ts'
import type { Finding, Handler } from '../../model/packages.ts'
import type { Driver, ToolResult, ToolSpec } from '../../runtime/driver.ts'
import type { PackageIndexes } from '../../runtime/egress/package-indexes.ts'
import { deniedTarget } from '../../runtime/egress/denied-line.ts'
import type { ToolFiles } from '../../runtime/tool-files.ts'
import type { Build, Draft, Inspection, Unpacked } from '../draft.ts'
import { missingModules } from '../inspect/missing-modules.ts'
import { blobArtefact } from './artefact.ts'
import { type BuildReport, type Needs, buildFinding, readBuildReport } from './report.ts'

export interface BuilderOptions {
  readonly tool: Driver['tool']
  readonly blobs: Pick<Blobs, 'put'>
  readonly files: ToolFiles
  readonly indexes: PackageIndexes
  /** The `uv` binary. */
  readonly uvPath: string
  /** `bin/npm-cli.js` of the machine's npm. */
  readonly npmPath: string
  /** Most that a whole build may take. Default: 120,000. */
  readonly timeoutMs?: number
  /** Disk of a build with dependencies, for downloads, what they are unpacked to, and the bundle. Default: 1,024. */
  readonly diskMb?: number
  /** Memory of a build, besides its disk. Default: 1,024. */
  readonly memoryMb?: number
  /** Largest bundle, as a tar. Default: 600 MB. */
  readonly bundleBytes?: number
}

/**
 * Makes the bundle that sessions execute: all files of the package at the root, and `.skillet/` with the dependencies (Python:
 * `site-packages` and `preimport.json`) or the bundled module (TypeScript: `index.mjs`). The first sandbox has no network and ends
 * the matter when there are no dependencies; only otherwise is there a second one, with the package index in reach.
 * @throws SandboxError when there is no sandbox.
 */
export function createBuilder(
  options: BuilderOptions,
): (unpacked: Unpacked, draft: Draft, inspection: Inspection, signal?: AbortSignal) => Promise<Build> {
  return async (unpacked, draft, inspection, signal) => {
    if (!inspection.handler)
      throw new Error(`The package ${unpacked.digest} has no entry point; only packages with one are built.`)
    const binds = [
      {
        source: await options.files.exposePython(fileURLToPath(new URL('program', import.meta.url))),
        target: '/opt/build',
      },
      { source: unpacked.dir, target: '/package' },
      ...(draft.format === 'typescript' ? await nodeTools(options) : []),
    ]
    const python = options.files.python(draft.runtime)
    const task = { format: draft.format, entry: draft.entry, imports: inspection.imports }
    const run = (extra: object, spec: Partial<ToolSpec>): Promise<BuildReport> =>
      runBuild(options, python, { ...task, ...extra }, { ...spec, binds: [...binds, ...(spec.binds ?? [])] }, signal)

    let report = await run({}, {})
    if (report.needs) report = await online(options, report.needs, run)

    const findings = [...report.findings]
    if (draft.format !== 'typescript' && report.needs === null && report.provided) {
      const declared = unpacked.files.some((file) => file.path === 'requirements.txt' && file.size > 0)
      if (declared) findings.push(...missingModules(inspection.imports, new Set(report.provided)))
    }
    return { findings, handler: handlerOf(inspection.handler), bundle_blob: report.blob, locks: report.locks }
  }
}

function handlerOf(handler: Handler): Handler {
  return handler.kind === 'node' ? { ...handler, file: '.skillet/index.mjs' } : handler
}

type Run = (extra: object, spec: Partial<ToolSpec>) => Promise<BuildReport>

/** The same build again, with the one index it needs in reach. */
async function online(options: BuilderOptions, needs: Needs, run: Run): Promise<BuildReport> {
  const index = await options.indexes[needs.kind](needs.names).catch((error: unknown) => error as Error)
  if (index instanceof Error) {
    const finding = buildFinding('build.index_unreachable', `The package index cannot be determined: ${index.message}`)
    return { findings: [finding], blob: null, locks: {}, needs: null, provided: null }
  }
  return await run(
    { online: true, index: index.url },
    {
      network: index.network,
      learnt: index.learnt,
      disk_mb: options.diskMb ?? 1024,
      binds: await packageManager(options, needs.kind),
    },
  )
}

/** What the build wanted beyond the index. An index that could not be reached is told by the package manager. */
function deniedFindings({ denied }: ToolResult): Finding[] {
  const targets = new Set(denied.filter(({ why }) => why !== 'unreachable').map(deniedTarget))
  return [...targets].map((target) =>
    buildFinding('build.network_denied', `The build tried to reach ${target}; it was refused`),
  )
}

async function runBuild(
  options: BuilderOptions,
  python: string,
  task: object,
  spec: Partial<ToolSpec>,
  signal?: AbortSignal,
): Promise<BuildReport> {
  const artefact = blobArtefact(options.blobs, options.bundleBytes ?? 600 * 2 ** 20)
  let result: ToolResult
  try {
    result = await options.tool(
      {
        argv: [python, '-I', '-S', '-B', '/opt/build'],
        stdin: JSON.stringify(task),
        memory_mb: options.memoryMb ?? 1024,
        disk_mb: 256,
        timeout_ms: options.timeoutMs ?? 120_000,
        pids: 256,
        output_bytes: 16 * 2 ** 20,
        artefact,
        binds: [],
        ...spec,
      },
      signal,
    )
    signal?.throwIfAborted()
  } catch (error) {
    await artefact.drop()
    throw error
  }
  const report = readBuildReport(result, { online: spec.network !== undefined })
  const complete = report.complete && result.ended === 'exit' && result.exitCode === 0
  if (!complete) await artefact.drop()
  const findings = [...report.findings, ...deniedFindings(result)]
  return { ...report, findings, blob: complete ? await artefact.keep() : null }
}

async function nodeTools({ files }: BuilderOptions): Promise<ToolSpec['binds']> {
  return [
    { source: files.node, target: '/opt/node' },
    { source: await files.expose(esbuildBinary()), target: '/opt/esbuild' },
  ]
}

async function packageManager(
  { files, uvPath, npmPath }: BuilderOptions,
  kind: Needs['kind'],
): Promise<ToolSpec['binds']> {
  return kind === 'python'
    ? [{ source: await files.expose(uvPath), target: '/opt/uv' }]
    : [{ source: await files.expose(dirname(dirname(npmPath))), target: '/opt/npm' }]
}

function esbuildBinary(): string {
  const esbuild = createRequire(import.meta.url).resolve('esbuild/package.json')
  const manifest = createRequire(esbuild).resolve(`@esbuild/${process.platform}-${process.arch}/package.json`)
  return join(dirname(manifest), 'bin', 'esbuild')
}
