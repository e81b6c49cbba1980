import type { Authenticator } from '../access/authenticate.ts'
import type { Authorizer } from '../access/authorize.ts'
import type { Denials } from '../access/denials.ts'
import type { GrantsService } from '../access/grants.ts'
import type { LinksService } from '../access/links.ts'
import type { KeyService } from '../access/key-service.ts'
import type { TenantsService } from '../access/tenants.ts'
import type { Blobs, Engine } from '../backends/ports.ts'
import type { AuditStore } from '../backends/access-ports.ts'
import type { PackageFiles } from '../packages/package-files.ts'
import type { QuotasService } from '../quotas/service.ts'
import type { ActivityFeed } from '../runs/activity-feed.ts'
import type { RunsService } from '../runs/service.ts'
import type { SessionsService } from '../runs/sessions.ts'
import type { SchedulesService } from '../schedules/service.ts'
import type { SecretsService } from '../secrets/secrets.ts'
import type { Signing } from '../skills/signing.ts'
import type { SkillsService } from '../skills/service.ts'
import type { UploadTicket } from '../skills/uploads.ts'
import type { Backups } from '../upkeep/backups.ts'
import type { WebhooksService } from '../webhooks/service.ts'
import type { CursorSeal } from './cursor-seal.ts'
import type { Site } from './site.ts'

/** What the HTTP interface stands on. */
export interface Services {
  readonly site: Site
  readonly auth: Pick<Authenticator, 'authenticate'>
  readonly authorizer: Pick<Authorizer, 'authorize' | 'grantsOf'>
  readonly denials: Pick<Denials, 'record'>
  readonly tenants: TenantsService
  readonly keys: KeyService
  readonly grants: GrantsService
  readonly links: LinksService
  readonly secrets: SecretsService
  readonly skills: SkillsService
  /** Where archives go that are uploaded in other ways than by a signed URL. */
  readonly blobs: Pick<Blobs, 'put' | 'read'>
  readonly signing: Signing
  /** What is in packages. */
  readonly files: PackageFiles
  readonly runs: RunsService
  readonly sessions: SessionsService
  readonly activity: ActivityFeed
  /** Of its events, as callers see their ids. */
  readonly cursors: CursorSeal
  readonly schedules: SchedulesService
  readonly webhooks: WebhooksService
  readonly quotas: QuotasService
  readonly audit: Pick<AuditStore, 'list' | 'read' | 'head'>
  /** Stored events, for logs. */
  readonly events: Pick<Engine['runs'], 'events'>
  /**
   * What the URL of an upload vouches for. Backends whose URLs lead elsewhere (S3) have none.
   * @throws SkilletError upload_tampered, upload_expired
   */
  readonly verifyUpload: ((url: URL) => UploadTicket) | null
  readonly backups: Backups
  /** What the server measured of itself, in the text format of Prometheus. @param streams Event streams that are open. */
  readonly metrics: (streams?: number) => Promise<{ readonly type: string; readonly text: string }>
  /** What must hold for the server to be ready, each by its name. */
  readonly checks: () => readonly ReadinessCheck[]
}

export interface ReadinessCheck {
  readonly name: string
  /**
   * @returns What was found, for people, if there is something to tell; with a fix where it could be better and will do.
   * @throws Error whose message (and `fix`, if it has one) tells the operator what is wrong.
   */
  check(): Found | Promise<Found>
}

type Found = string | void | { readonly message: string; readonly fix: string | null }
