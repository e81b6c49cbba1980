import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Engine } from '../backends/ports.ts'
import { now } from '../model/json.ts'
import type { Finding, Package } from '../model/packages.ts'
import type { Runtimes } from '../runtime/runtimes.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { Build, Draft, Inspection, Unpacked } from './draft.ts'
import { isDenied } from './finding.ts'
import { completeDraft } from './interface.ts'
import type { PackageReader } from './package-reader.ts'
import type { Profile } from './profiles/profile.ts'
import { settleRuntime } from './settle-runtime.ts'

/** What is to be checked, and whose it is. */
export interface Submission {
  /** Unique among what is checked at once: names the folder it is unpacked in. */
  readonly id: string
  readonly tenant: string
  /** The blob of the archive. */
  readonly archive: string
  /** The name where no manifest gives one. */
  readonly fallbackName: string
  /** Whose demands its SKILL.md has to meet besides those of this server. Default: nobody's. */
  readonly profile?: Profile | undefined
  /** Told what is being done. Default: nobody. */
  readonly onStep?: (step: 'checking' | 'scanning' | 'building') => Promise<void>
}

export type Verdict = { readonly findings: Finding[]; readonly package: Package | null }

export interface ExaminerParts {
  readonly engine: Engine
  readonly blobs: Pick<Blobs, 'localPath'>
  /** Host folder that sandboxes can see. */
  readonly stagingRoot: string
  readonly schemas: Pick<SchemaValidator, 'checkSchema'>
  readonly reader: Pick<PackageReader, 'unpackArchive' | 'readDraft' | 'checkSkill'>
  /** What packages may run on here. */
  readonly runtimes: Pick<Runtimes, 'all' | 'find'>
  readonly inspect: (unpacked: Unpacked, draft: Draft, signal: AbortSignal) => Promise<Inspection>
  readonly build: (unpacked: Unpacked, draft: Draft, inspection: Inspection, signal: AbortSignal) => Promise<Build>
}

/** The flow of a package (DESIGN 5): from an archive to the verdict, with all findings. @throws the signal's reason; Error for a fault of ours */
export type Examine = (submission: Submission, signal: AbortSignal) => Promise<Verdict>

export function createExaminer(parts: ExaminerParts): Examine {
  const { engine, blobs, stagingRoot } = parts

  async function inFolder(submission: Submission, signal: AbortSignal): Promise<Verdict> {
    const dir = join(stagingRoot, submission.id)
    try {
      await mkdir(stagingRoot, { recursive: true })
      await rm(dir, { recursive: true, force: true })
      const verdict = await examine(submission, dir, signal)
      if (verdict.package === null && !isDenied(verdict.findings)) {
        throw new Error(`Package ${submission.id} was turned down without a finding that says why.`)
      }
      return { ...verdict, findings: denyFirst(verdict.findings) }
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }

  async function examine(submission: Submission, dir: string, signal: AbortSignal): Promise<Verdict> {
    const { tenant, fallbackName, profile, onStep = async () => {} } = submission
    await onStep('checking')
    const archive = await blobs.localPath(submission.archive)
    const { findings, unpacked, folder = null } = await parts.reader.unpackArchive({ archive, targetDir: dir, signal })
    if (unpacked === null) return { findings, package: null }
    if (profile !== undefined) {
      const demands = await parts.reader.checkSkill(unpacked, { folder, profile, authoring: false }, signal)
      findings.push(...demands.filter(({ severity }) => severity === 'deny'))
      if (isDenied(findings)) return { findings, package: null }
    }

    // The same files were accepted before: nothing to find out again, unless what they were built for is gone.
    const known = await engine.skills.findPackage(tenant, unpacked.digest)
    if (known !== null && parts.runtimes.find(known.runtime) !== null) return { findings, package: known }

    const read = await parts.reader.readDraft(unpacked, fallbackName, signal)
    findings.push(...read.findings)
    if (read.draft === null) return { findings, package: null }
    const { draft, findings: missing } = settleRuntime(read.draft, parts.runtimes)
    findings.push(...missing)

    await onStep('scanning')
    const inspection = await parts.inspect(unpacked, draft, signal)
    const complete = await completeDraft(draft, inspection, parts.schemas, tenant)
    findings.push(...inspection.findings, ...complete.findings)
    if (isDenied(findings) || inspection.handler === null) return { findings, package: null }

    await onStep('building')
    const build = await parts.build(unpacked, draft, inspection, signal)
    findings.push(...build.findings)
    if (isDenied(findings) || build.bundle_blob === null) return { findings, package: null }
    return { findings, package: packageOf(submission.archive, unpacked, draft, complete, build) }
  }

  return inFolder
}

function packageOf(
  archive: string,
  unpacked: Unpacked,
  draft: Draft,
  complete: { description: string; input_schema: Package['input_schema']; output_schema: Package['output_schema'] },
  build: Build,
): Package {
  return {
    digest: unpacked.digest,
    format: draft.format,
    name: draft.name,
    description: complete.description,
    declared_version: draft.declared_version,
    input_schema: complete.input_schema,
    output_schema: complete.output_schema,
    handler: build.handler,
    runtime: draft.runtime,
    defaults: draft.defaults,
    files: unpacked.files,
    skill_md: draft.skill_md,
    locks: build.locks,
    archive_blob: archive,
    bundle_blob: build.bundle_blob!,
    created_at: now(),
  }
}

function denyFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => Number(b.severity === 'deny') - Number(a.severity === 'deny'))
}
