import { join, resolve } from 'node:path'
import type { Finding } from '../model/packages.ts'
import { fixSkill } from '../packages/fixes/fix-skill.ts'
import type { FixedFile } from '../packages/fixes/fixed-file.ts'
import { isDenied } from '../packages/finding.ts'
import { checkSkill } from '../packages/profiles/check-skill.ts'
import type { Profile } from '../packages/profiles/profile.ts'
import type { SkillFiles } from '../packages/profiles/skill-files.ts'
import type { Call } from './call.ts'
import { cleanJson, cleanText } from './clean-text.ts'
import { usageError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { findingsText } from './findings.ts'
import { packageVersion } from './package-version.ts'
import { sarifLog } from './sarif.ts'
import { openSkillSource } from './skill-source.ts'
import { writeFixed } from './write-fixed.ts'

export interface SkillCheckOptions {
  readonly profile?: Profile
  readonly format?: 'text' | 'json' | 'sarif'
  readonly fix?: boolean
  readonly dryRun?: boolean
}

/** Checks a skill on this machine: no server, no network. @param path A folder, a SKILL.md or a zip. */
export async function validateSkill(call: Call<SkillCheckOptions>, path: string): Promise<ExitCode> {
  const { profile = 'spec', fix = false, dryRun = false } = call.options
  const source = await openSkillSource(resolve(call.io.cwd, path))
  try {
    if (fix && source.folder === null)
      throw usageError(`${path} is an archive: nothing in it can be mended.`, 'Unpack it and name its folder.')
    const fixed = fix && source.files !== null ? fixSkill(source.files, profile) : []
    const files = source.files === null ? null : withFixed(source.files, fixed)
    const findings = [...source.findings, ...(files === null ? [] : checkSkill(files, { profile }))]
    if (!dryRun && source.folder !== null) await writeFixed(source.folder, fixed)
    report(call, { path, profile, dryRun, findings, fixed, files, folder: source.folder })
    return isDenied(findings) ? EXIT.rejected : EXIT.ok
  } finally {
    await source.close()
  }
}

/** As they are after mending, whether or not that was written. */
function withFixed(files: SkillFiles, fixed: readonly FixedFile[]): SkillFiles {
  const after = new Map(fixed.map((file) => [file.path, file.after]))
  return {
    ...files,
    files: files.files.map(({ path, size }) => ({ path, size: after.get(path)?.length ?? size })),
    read: (path) => after.get(path) ?? files.read(path),
  }
}

interface Outcome {
  readonly path: string
  readonly profile: Profile
  readonly dryRun: boolean
  readonly findings: readonly Finding[]
  readonly fixed: readonly FixedFile[]
  readonly files: SkillFiles | null
  readonly folder: string | null
}

function report(call: Call<SkillCheckOptions>, outcome: Outcome): void {
  const { io, options } = call
  const { path, profile, dryRun, findings, fixed, folder } = outcome
  const format = options.format ?? (options.json === true ? 'json' : 'text')
  if (format === 'text') return io.out(text(call, outcome))
  if (format === 'sarif') {
    const root = folder ?? resolve(io.cwd, path)
    const place = (file: string | null): string => (file === null ? root : join(root, file))
    return io.out(`${cleanJson(sarifLog(findings, { version: packageVersion(), cwd: io.cwd, place }))}\n`)
  }
  const fixes = fixed.flatMap(({ path: file, changes }) => changes.map((change) => ({ file, ...change })))
  io.out(
    `${cleanJson({ path, profile, valid: !isDenied(findings), findings, fixes, written: !dryRun && fixes.length > 0 })}\n`,
  )
}

function text({ paint }: Call<SkillCheckOptions>, { path, profile, dryRun, findings, fixed, files }: Outcome): string {
  const changed = fixed.flatMap(({ path: file, changes }) =>
    changes.map(
      ({ line, what }) =>
        `${paint('green', dryRun ? 'would be' : 'mended  ')} ${cleanText(`${file}:${line}  ${what}`)}\n`,
    ),
  )
  const lines = new Map<string, string[]>()
  const source = (file: string, line: number): string | null => {
    if (files === null || !files.files.some((one) => one.path === file)) return null
    const known = lines.get(file) ?? new TextDecoder().decode(files.read(file)).split(/\r\n|\n|\r/)
    lines.set(file, known)
    return known[line - 1] ?? null
  }
  const denied = findings.filter(({ severity }) => severity === 'deny').length
  const counts = `${denied} denied, ${findings.length - denied} ${findings.length - denied === 1 ? 'warning' : 'warnings'}`
  const word = denied > 0 ? paint('red', 'Rejected') : paint('green', 'Accepted')
  return `${changed.join('')}${findingsText(findings, paint, source)}${word}: ${cleanText(path)} by profile ${profile} (${counts})\n`
}
