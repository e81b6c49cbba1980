import type { Readable } from 'node:stream'
import type { Page, PageOptions } from '../model/page.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Package } from '../model/packages.ts'
import type { Throttle } from '../model/quotas.ts'
import type { FailureReason, LogLine, Run, RunError, RunEvent, RunStatus, Usage } from '../model/runs.ts'
import type { QueueName } from '../model/sizes.ts'
import type { Activation, Deployment, Skill, Stage, StageConfig, Upload, Version } from '../model/skills.ts'
import type { ActivityStore, Only, QueueStore, ScheduleStore, WebhookStore } from './flow-ports.ts'
import type { EngineGauges } from './observer.ts'
import type { AccessStore, AuditStore, QuotaStore, SecretStore } from './access-ports.ts'
import type { CatalogueStore } from './catalogue-ports.ts'
import type { LinkStore } from './link-ports.ts'
import type { SigningStore } from './signing-ports.ts'
import type { UpkeepStore } from './upkeep-ports.ts'

/**
 * State, queues and events as domain verbs: each verb is one transaction in SQL and conditional writes on AWS.
 * Every verb is durable when its promise resolves. Verbs that take a tenant never see another tenant's rows. Verbs that change
 * something for a principal take a note, whose audit row is written in the same transaction: what cannot be audited is not done.
 */
export interface Engine {
  readonly access: AccessStore
  readonly audit: AuditStore
  readonly links: LinkStore
  readonly secrets: SecretStore
  readonly quotas: QuotaStore
  readonly skills: SkillStore
  readonly catalogue: CatalogueStore
  readonly signing: SigningStore
  readonly runs: RunStore
  readonly queues: QueueStore
  readonly schedules: ScheduleStore
  readonly webhooks: WebhookStore
  readonly activity: ActivityStore
  readonly upkeep: UpkeepStore
  /** How full it is, over all tenants; for metrics. */
  gauges(): Promise<EngineGauges>
  /** Proves that the state can be read and written; for /readyz. */
  check(): Promise<void>
  close(): Promise<void>
}

/** What a stage of a skill serves. */
export interface Served {
  /** Name of the skill. */
  readonly skill: string
  /** Null: the skill has no such stage. */
  readonly stage: Pick<Stage, 'name' | 'deployment'> | null
}

export interface SkillStore {
  /** @throws SkilletError name_taken */
  createSkill(skill: Skill, note: AuditNote): Promise<void>
  /** By id or name. Deleted skills are gone. */
  findSkill(tenant: string, idOrName: string): Promise<Skill | null>
  listSkills(tenant: string, page: PageOptions & { only?: readonly string[] | undefined }): Promise<Page<Skill>>
  updateSkill(tenant: string, id: string, change: { description: string }, note: AuditNote): Promise<Skill | null>
  /** Its stages go too, grants forget it, its queued runs are cancelled, running ones asked to stop; run records stay. False: there was none. */
  deleteSkill(tenant: string, id: string, note: AuditNote): Promise<boolean>

  /** Makes the stage when it is missing. @throws SkilletError stage_changed when `revision` is given and is not the present one. */
  putStage(
    tenant: string,
    skill: string,
    name: string,
    config: StageConfig | null,
    revision: number | undefined,
    note: AuditNote,
  ): Promise<Stage>
  findStage(tenant: string, skill: string, idOrName: string): Promise<Stage | null>
  /** What every invocation begins with, in one look-up. Ids or names. Null: there is no such skill. */
  findServed(tenant: string, skill: string, stage: string): Promise<Served | null>
  listStages(tenant: string, skill: string): Promise<Stage[]>
  deleteStage(tenant: string, id: string, note: AuditNote): Promise<boolean>

  /** Also makes it the stage's newest upload. */
  createUpload(upload: Upload, note: AuditNote): Promise<void>
  findUpload(tenant: string, id: string): Promise<Upload | null>
  /** For the signed URL, which names no tenant. */
  findUploadById(id: string): Promise<Upload | null>
  /**
   * `pending -> received`, and the stage becomes `validating` if this is still its newest upload.
   * @throws SkilletError upload_repeated when it is not pending any more, upload_expired when it is too late.
   */
  receiveUpload(id: string, at: string, note: AuditNote): Promise<Upload>
  /** `received -> validating` and steps of it. */
  stepUpload(id: string, step: string): Promise<void>
  /** Ends validation: `accepted` with its package (kept once per tenant and digest; built anew for another runtime it takes the place of what there was) or `rejected`; sets the stage's state alike. */
  finishUpload(id: string, result: Pick<Upload, 'findings'> & { package: Package | null; at: string }): Promise<Upload>
  /** Uploads in `received` or `validating`: after a restart they are validated again. */
  unfinishedUploads(): Promise<Upload[]>

  findPackage(tenant: string, digest: string): Promise<Package | null>

  findVersion(tenant: string, skill: string, versionOrId: string): Promise<Version | null>
  /** The version that names this package, if any does: a digest has at most one version in a skill. */
  findVersionOfDigest(tenant: string, skill: string, digest: string): Promise<Version | null>
  /** Highest semver first. */
  listVersions(tenant: string, skill: string, page: PageOptions): Promise<Page<Version>>

  /**
   * Points the stage at the deployment, in one transaction that is conditional on the stage's revision: keeps the version if it is
   * new, keeps the deployment if it is new, records the activation, clears the stage's upload when the deployment came of it.
   * @throws SkilletError stage_changed, version_taken
   */
  activate(change: {
    readonly stage: Pick<Stage, 'tenant' | 'id' | 'revision'>
    readonly deployment: Deployment
    readonly version: Omit<Version, 'sequence'>
    readonly kind: Activation['kind']
    readonly by: string
    readonly at: string
    /** The upload that this consumes. */
    readonly upload: string | null
    readonly note: AuditNote
  }): Promise<Stage>
  findDeployment(tenant: string, id: string): Promise<Deployment | null>
  /** The stage's pointer moves, newest first. */
  listActivations(tenant: string, stage: string, page: PageOptions): Promise<Page<Activation>>
}

/** A run that this worker now executes. `token` is the fencing token of the lease: it changes with every claim. */
export interface Claim {
  readonly run: Run & { readonly deployment: string; readonly version: string }
  readonly token: number
  /** How often an execution of it failed and it was tried again. Executions whose worker was lost are not among them. */
  readonly retries: number
  /** W3C traceparent of the request that began it, if that was traced. */
  readonly trace: string | null
}

export type Admission =
  /** The run is queued; `taken` is what was taken from its queue along with that. */
  | { readonly outcome: 'admitted'; readonly run: Run; readonly taken: Claim[] }
  /** The same Idempotency-Key and the same request: the run of the first time. */
  | { readonly outcome: 'repeated'; readonly run: Run }
  /** The same key, another request. */
  | { readonly outcome: 'mismatch' }
  /** The row was written, the queue refused it: the row is `failed/runtime_error` now. */
  | { readonly outcome: 'enqueue_failed'; readonly run: Run }

export interface RunFilter extends PageOptions {
  readonly skill?: string | undefined
  readonly stage?: string | undefined
  readonly status?: RunStatus | undefined
  /** Only runs of any of these: of the skills (ids) on the stages (names); null: all of them. Undefined: all runs. */
  readonly only?: Only | undefined
  /** Only those that failed for good and were neither replayed nor dismissed. */
  readonly deadLetters?: boolean | undefined
  /** Only runs that this principal began. */
  readonly createdBy?: string | undefined
}

/** How a run ended. */
export interface Ending {
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'throttled'
  readonly reason: FailureReason | null
  readonly error: RunError | null
  /** JSON text, so that a large result is serialised once. `null` when there is none. */
  readonly output: string | null
  readonly session: string | null
  readonly warm: boolean | null
  readonly start_ms: number | null
  readonly execution_ms: number | null
  readonly usage: Usage | null
  /** Milliseconds to bill; null when nothing was executed. */
  readonly billable_ms: number | null
  readonly throttle: Throttle | null
  /** It failed for good although its stage retries. Default false. */
  readonly dead_letter?: boolean
  /** Log lines not yet appended: written before the result event, in the same transaction. */
  readonly logs: LogLine[]
}

export interface AdmitOptions {
  /** A repeat with the same key answers with the first run, if it asks for the same. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string; readonly expires_at: string } | undefined
  readonly take?: { readonly leaseMs: number } | undefined
  /** W3C traceparent, handed to whoever claims the run. */
  readonly trace?: string | undefined
}

/** A run that is over, as its ending left it, without its input. */
export interface EndedRun {
  readonly run: Omit<Run, 'input' | 'output'>
  /** JSON text; null where there is none. */
  readonly output: string | null
}

export interface RunStore {
  /**
   * Run row, `status: queued` event and queue entry.
   * @param options.take A worker of this process has a free place: as `take` for one run of that queue, in the same transaction. It is
   * the run whose turn it is, so with others waiting another one than this.
   */
  admit(run: Run, queue: QueueName, note: AuditNote, options?: AdmitOptions): Promise<Admission>
  find(tenant: string, id: string): Promise<Run | null>
  /** `input` and `output` are null here: a page of large ones would not fit into memory. */
  list(tenant: string, filter: RunFilter): Promise<Page<Run>>

  /**
   * Takes up to `count` runs from a queue under a lease and starts them: they come back `running`, with their event written.
   * Also takes runs whose lease ran out; one that was tried LIMITS.attempts times becomes `failed/worker_lost` instead.
   * The quota is admitted in the same transaction: a run over a cap becomes `throttled` and is not returned, nor is one of a suspended tenant.
   * Fair between tenants: each tenant's runs are spread over the turns of the queue, so that a tenant's first run comes next but for at most
   * one of each other tenant, however many those have waiting. Nothing of a paused stage or tenant is taken.
   */
  take(queue: QueueName, count: number, leaseMs: number): Promise<Claim[]>
  /** Extends leases. Answers what became of each: `lost` means that the token is no longer the present one. */
  heartbeat(claims: readonly { run: string; token: number }[], leaseMs: number): Promise<('held' | 'cancel' | 'lost')[]>
  /** Appends `log` events. False: the lease is lost, nothing was written. */
  appendLogs(run: string, token: number, lines: LogLine[]): Promise<boolean>
  /** Terminal state, events and removal from the queue in one transaction. Null: the lease is lost, nothing was written. */
  finish(run: string, token: number, ending: Ending): Promise<Run | null>
  /**
   * The run failed and is tried again: back to the queue, invisible for `delayMs`. What it used is metered; it keeps its place among the runs
   * that the quota allows at once, so that it goes on without being refused. One that was asked to stop is cancelled instead. False: the lease is lost, nothing was written.
   */
  retry(run: string, token: number, ending: Ending, delayMs: number): Promise<boolean>
  /** Hands a run back to the queue as it was before `take`; for a worker that stops. */
  release(run: string, token: number): Promise<boolean>
  /** Ends every lease at once, and what pauses left undone: after a restart of the only process that can hold any. Returns how many leases there were. */
  recover(): Promise<number>

  /**
   * Queued, or without a worker since that was lost: `cancelled` at once. Running: asks for it, heartbeat tells the worker. Terminal: as it
   * was. Null: no such run.
   */
  cancel(tenant: string, id: string, note: AuditNote): Promise<Run | null>

  /** A dead letter is none any more. Null: no such run, or it is no dead letter. */
  dismiss(tenant: string, id: string, note: AuditNote): Promise<Run | null>

  /** Events after `seq`, oldest first. */
  events(tenant: string, run: string, afterSeq: number, limit: number): Promise<RunEvent[]>
  /** Milliseconds since 1970 when a queue entry next becomes visible, or null. For one timer instead of polling. */
  nextVisible(queue: QueueName): Promise<number | null>

  /**
   * Hints, sent after commit: something may have happened. `ended`: that was its end, and what came of it; it may end without that being said,
   * where another process ends it. Truth is in the rows. Returns the function that ends the watch.
   */
  watchRun(id: string, wake: (ended: EndedRun | null) => void): () => void
  watchQueue(wake: (queue: QueueName) => void): () => void
}

/** Files addressed by the SHA-256 of their bytes (64 hex digits). */
export interface Blobs {
  /**
   * Streams to storage without holding it in memory, and syncs. Keeps nothing when it throws.
   * @throws SkilletError upload_too_large over `maxBytes`; upload_size_mismatch, upload_checksum_mismatch when it is not what was expected.
   */
  put(
    source: AsyncIterable<Uint8Array>,
    options: {
      readonly maxBytes: number
      readonly size?: number
      readonly sha256?: string
      readonly signal?: AbortSignal
    },
  ): Promise<{ sha256: string; size: number }>
  /** @throws when there is no such blob. */
  read(sha256: string): Promise<Readable>
  /** A path on this machine that holds the blob, for workers and sandboxes. */
  localPath(sha256: string): Promise<string>
  has(sha256: string): Promise<boolean>
  delete(sha256: string): Promise<void>
  /** A URL to which the upload may be PUT, bound to its id, size, checksum and expiry. */
  uploadUrl(upload: Pick<Upload, 'id' | 'size' | 'sha256' | 'expires_at'>): {
    method: 'PUT'
    url: string
    headers: Record<string, string>
  }
}
