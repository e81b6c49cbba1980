import type { Upload } from '../model/skills.ts'
import { now } from '../model/json.ts'
import { type ExaminerParts, type Submission, type Verdict, createExaminer } from './examine.ts'
import { createFindings } from './rules.ts'
import { createTurns } from './turns.ts'

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

export interface PackageValidatorParts extends ExaminerParts {
  /** Told of faults of ours. */
  readonly onError: (error: unknown, doing: string) => void
  /** Packages validated at once. Default 2. */
  readonly concurrency?: number
  /** When a result could not be written, it is tried again after this many milliseconds. Default 5000. */
  readonly retryMs?: number
}

/** Uploads from their arrival to `accepted` or `rejected`, and whatever else is examined; tenants in turn. */
export function createPackageValidator(parts: PackageValidatorParts): PackageValidator {
  const { engine, onError, concurrency = 2, retryMs = 5000 } = parts
  const stopping = new AbortController()
  const examine = createExaminer(parts)
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
      verdict = await examine({ id, tenant, archive, fallbackName: skill?.name ?? 'skill', onStep }, signal)
    } catch (error) {
      if (signal.aborted) throw error
      onError(error, `validating upload ${upload.id}`)
      const findings = createFindings()
      findings.add('internal.validation', `The validation of upload ${upload.id} was broken off by a fault of Skillet.`)
      verdict = { findings: findings.list(), package: null }
    }
    return engine.skills.finishUpload(upload.id, { ...verdict, at: now() })
  }

  async function check(submission: Submission, signal: AbortSignal): Promise<Verdict> {
    const leave = await turns.enter(submission.tenant, signal)
    return await examine(submission, signal).finally(leave)
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
