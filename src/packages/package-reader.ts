import type { Finding } from '../model/packages.ts'
import { LIMITS } from '../model/sizes.ts'
import { ThreadCrash, ThreadTimeout } from '../threads/thread-errors.ts'
import { createThreadPool } from '../threads/thread-pool.ts'
import { workerUrl } from '../threads/worker-url.ts'
import type { DraftResult } from './detect.ts'
import type { Unpacked } from './draft.ts'
import type { ReaderTask, SkillCheck } from './package-reader-worker.ts'
import type { PackRequest } from './pack.ts'
import { createFindings, type RuleId } from './rules.ts'
import type { ArchiveLimits } from './zip/entries.ts'
import type { UnpackResult } from './zip/unpack.ts'

export interface PackageReader {
  /**
   * Checks the archive and writes its files.
   * @param request.targetDir Folder to be made below an existing one; the caller removes it, whatever comes out.
   */
  unpackArchive(request: {
    archive: string
    targetDir: string
    limits?: Partial<ArchiveLimits> | undefined
    signal?: AbortSignal | undefined
  }): Promise<UnpackResult>
  /** Reads the manifests. @param fallbackName The name when no manifest gives one. */
  readDraft(unpacked: Pick<Unpacked, 'dir' | 'files'>, fallbackName: string, signal?: AbortSignal): Promise<DraftResult>
  /** Measures a skill by the demands of one of those who take skills; an upload itself is measured by `readDraft`. */
  checkSkill(unpacked: Pick<Unpacked, 'dir' | 'files'>, check: SkillCheck, signal?: AbortSignal): Promise<Finding[]>
  /** Makes a zip of files that were unpacked before. @throws ThreadTimeout, ThreadCrash */
  pack(request: PackRequest, signal?: AbortSignal): Promise<ArrayBuffer>
  close(): Promise<void>
}

export interface PackageReaderOptions {
  /** How many packages are read at a time. Default 2. */
  readonly threads?: number
  /** Deadline of one step, in milliseconds. Default LIMITS.unpackSeconds. */
  readonly timeoutMs?: number
}

/** Inflating, hashing and parsing of what strangers sent: in threads with a heap limit that are killed when their time is up. */
export function createPackageReader(options: PackageReaderOptions = {}): PackageReader {
  const timeoutMs = options.timeoutMs ?? LIMITS.unpackSeconds * 1000
  const pool = createThreadPool({
    url: workerUrl(import.meta.url, './package-reader-worker'),
    size: options.threads ?? 2,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  })
  let closed = false

  /** A thread that was killed for what it read gives a finding; one that was stopped by us an error. */
  const ask = async <T>(task: ReaderTask, signal: AbortSignal | undefined, stopped: (why: string) => T): Promise<T> => {
    try {
      return await pool.call<T>(task, { timeoutMs, signal })
    } catch (error) {
      if (error instanceof ThreadTimeout) return stopped(`took longer than ${timeoutMs / 1000} s`)
      if (error instanceof ThreadCrash && !closed) return stopped('needed too much memory')
      throw error
    }
  }

  return {
    unpackArchive({ archive, targetDir, limits = {}, signal }) {
      const task: ReaderTask = { kind: 'unpack', request: { archive, targetDir, limits: { ...LIMITS, ...limits } } }
      return ask<UnpackResult>(task, signal, (why) => ({
        findings: one('zip.too_slow', `Reading the archive ${why} and was stopped.`),
        unpacked: null,
      }))
    },
    readDraft({ dir, files }, fallbackName, signal) {
      const task: ReaderTask = { kind: 'draft', dir, files, fallbackName }
      return ask<DraftResult>(task, signal, (why) => ({
        findings: one('manifest.too_large', `Reading the manifests ${why} and was stopped.`),
        draft: null,
      }))
    },
    checkSkill({ dir, files }, check, signal) {
      const task: ReaderTask = { kind: 'check', dir, files, ...check }
      return ask(task, signal, (why) => one('manifest.too_large', `Reading the skill ${why} and was stopped.`))
    },
    pack: (request, signal) => pool.call<ArrayBuffer>({ kind: 'pack', request }, { timeoutMs, signal }),
    close() {
      closed = true
      return pool.close()
    },
  }
}

function one(rule: RuleId, message: string): Finding[] {
  const findings = createFindings()
  findings.add(rule, message)
  return findings.list()
}
