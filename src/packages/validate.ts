import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Engine } from '../backends/ports.ts'
import { now } from '../model/json.ts'
import type { Finding, Package } from '../model/packages.ts'
import type { Upload } from '../model/skills.ts'
import type { Runtimes } from '../runtime/runtimes.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { Build, Draft, Inspection, Unpacked } from './draft.ts'
import { isDenied } from './finding.ts'
import type { Profile } from './profiles/profile.ts'
import { completeDraft } from './interface.ts'
import type { PackageReader } from './package-reader.ts'
import { createFindings } from './rules.ts'
import { settleRuntime } from './settle-runtime.ts'
import { createTurns } from './turns.ts'

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

/** An upload that has come. */
type Arrival = Pick<Upload, 'id' | 'tenant'>

export interface PackageValidator {
  /**
   * What comes of an archive that no upload stands for. Nothing is kept but blobs; waits in line with the uploads.
   * @throws the signal's reason when aborted; Error for a fault of ours.
   */
  check(submission: Submission, signal?: AbortSignal): Promise<Verdict>
  /** Validates in the background, once for however many calls; what goes wrong ends as a finding of the upload. Never throws. */
  start(upload: Arrival): void
  /** Validates now. @returns The upload as it ended. @throws the signal's reason when aborted: the next `resume` takes it up. */
  validate(upload: Upload, signal?: AbortSignal): Promise<Upload>
  /** Takes up what a killed server left half done. */
  resume(): Promise<void>
  /** Aborts what is under way: it is taken up again by the next `resume`. */
  stop(): Promise<void>
}

export interface PackageValidatorParts {
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
  /** Told of faults of ours. */
  readonly onError: (error: unknown, doing: string) => void
  /** Packages validated at once. Default 2. */
  readonly concurrency?: number
  /** When a result could not be written, it is tried again after this many milliseconds. Default 5000. */
  readonly retryMs?: number
}

/** The flow of a package (DESIGN 5) from its arrival to `accepted` or `rejected`. */
export function createPackageValidator(parts: PackageValidatorParts): PackageValidator {
  const { engine, blobs, stagingRoot, onError, concurrency = 2, retryMs = 5000 } = parts
  const stopping = new AbortController()
  const turns = createTurns(concurrency)
  /** Those that wait for their turn, and all that is not over. */
  const waiting = new Set<string>()
  const pending = new Map<string, Promise<void>>()

  function start({ id, tenant }: Arrival): void {
    if (waiting.has(id)) return
    waiting.add(id)
    const work: Promise<void> = attempt({ id, tenant }, pending.get(id)).finally(() => {
      if (pending.get(id) === work) pending.delete(id)
    })
    pending.set(id, work)
  }

  /** @param before An upload that is being validated is not started a second time beside itself. */
  async function attempt({ id, tenant }: Arrival, before: Promise<void> | undefined): Promise<void> {
    try {
      await before
      const leave = await turns.enter(tenant, stopping.signal)
      waiting.delete(id)
      await one(id).finally(leave)
    } catch (error) {
      if (stopping.signal.aborted) return
      // Not even the result could be written: the upload must not stay half done until the next start.
      onError(error, `validating upload ${id}`)
      const retry = setTimeout(() => start({ id, tenant }), retryMs).unref()
      stopping.signal.addEventListener('abort', () => clearTimeout(retry), { once: true })
    }
  }

  async function one(id: string): Promise<void> {
    const upload = await engine.skills.findUploadById(id)
    // Finished meanwhile: `resume` and the arrival may both have named it.
    if (upload?.state === 'received' || upload?.state === 'validating') await validate(upload, stopping.signal)
  }

  async function validate(upload: Upload, signal: AbortSignal): Promise<Upload> {
    let verdict: Verdict
    try {
      const skill = await engine.skills.findSkill(upload.tenant, upload.skill)
      const { id, tenant, sha256: archive } = upload
      const onStep = (step: string): Promise<void> => engine.skills.stepUpload(id, step)
      verdict = await inFolder({ id, tenant, archive, fallbackName: skill?.name ?? 'skill', onStep }, signal)
    } catch (error) {
      if (signal.aborted) throw error
      onError(error, `validating upload ${upload.id}`)
      const findings = createFindings()
      findings.add('internal.validation', `The validation of upload ${upload.id} was broken off by a fault of Skillet.`)
      verdict = { findings: findings.list(), package: null }
    }
    return engine.skills.finishUpload(upload.id, { ...verdict, at: now() })
  }

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
    const complete = await completeDraft(draft, inspection, parts.schemas)
    findings.push(...inspection.findings, ...complete.findings)
    if (isDenied(findings) || inspection.handler === null) return { findings, package: null }

    await onStep('building')
    const build = await parts.build(unpacked, draft, inspection, signal)
    findings.push(...build.findings)
    if (isDenied(findings) || build.bundle_blob === null) return { findings, package: null }
    return { findings, package: packageOf(submission.archive, unpacked, draft, complete, build) }
  }

  async function check(submission: Submission, signal: AbortSignal): Promise<Verdict> {
    const leave = await turns.enter(submission.tenant, signal)
    return await inFolder(submission, signal).finally(leave)
  }

  const orStop = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal])

  return {
    start,
    check: (submission, signal) => check(submission, orStop(signal)),
    validate: (upload, signal) => validate(upload, orStop(signal)),
    async resume() {
      for (const upload of await engine.skills.unfinishedUploads()) start(upload)
    },
    async stop() {
      stopping.abort(new Error('The server stops.'))
      await Promise.all(pending.values())
    },
  }
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
