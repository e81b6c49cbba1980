import type { Readable } from 'node:stream'
import type { Page, PageOptions } from '../model/page.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Package } from '../model/packages.ts'
import type { Activation, Deployment, Skill, Stage, StageConfig, Upload, Version } from '../model/skills.ts'
import type { ActivityStore, QueueStore, ScheduleStore, WebhookStore } from './flow-ports.ts'
import type { EngineGauges } from './observer.ts'
import type { AccessStore, AuditStore, QuotaStore, SecretStore } from './access-ports.ts'
import type { CatalogueStore } from './catalogue-ports.ts'
import type { LinkStore } from './link-ports.ts'
import type { SigningStore } from './signing-ports.ts'
import type { UpkeepStore } from './upkeep-ports.ts'
import type { RunStore } from './run-ports.ts'

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
