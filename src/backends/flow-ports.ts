import type { Activity } from '../model/activity.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Queues } from '../model/queues.ts'
import type { FailureReason, Run, RunError } from '../model/runs.ts'
import type { Fire, FireOutcome, Schedule, ScheduleSummary } from '../model/schedules.ts'
import type { QueueName } from '../model/sizes.ts'
import type { Delivery, DeliveryAttempt, DeliveryStatus, Webhook } from '../model/webhooks.ts'

/** Skills and stages (ids of skills, names of stages) that a list is limited to; null: all of them. Undefined instead of a list: everything. */
export type Only = readonly { readonly skills: readonly string[] | null; readonly stages: readonly string[] | null }[]

/** When a schedule fires next, in milliseconds since 1970: the instant that its expression names, and when its jitter lets it come about. */
export interface NextFire {
  readonly instant: number
  readonly due: number
}

/** A schedule that is due, or was. */
export interface DueSchedule {
  readonly schedule: Omit<Schedule, 'last' | 'next_at'>
  readonly next: NextFire
}

/** What to do about one due schedule, conditional on it being as it was read. */
export interface FireOrder {
  readonly tenant: string
  readonly stage: string
  readonly revision: number
  /** The `next` that was read. */
  readonly expected: NextFire
  /** Fires that are told of as missed: from the first to the last instant, in milliseconds since 1970. */
  readonly missed: { readonly first: number; readonly last: number } | null
  /** What is begun, if anything: for the instant `run.scheduled_for`. */
  readonly begin: PlannedRun | null
  readonly overlap: Schedule['overlap']
  /** Null: it never fires again. */
  readonly next: NextFire | null
}

/** A run that is ready to be written down: to be queued, or failed from the start, with the reason that keeps it from being executed. */
export interface PlannedRun {
  readonly run: Run
  readonly queue: QueueName
  readonly refusal: { readonly reason: FailureReason; readonly error: RunError } | null
}

/** `stale`: the schedule is not any more as it was read, or the instant was fired already; nothing of a run was written. */
export interface FireResult {
  readonly outcome: FireOutcome | 'stale'
  readonly run: string | null
  /** Runs that were asked to stop, for the worker of this process: those elsewhere learn by heartbeats. */
  readonly stopping: readonly string[]
}

export interface ScheduleStore {
  /** One a stage. @param revision When given, only if that is the present one; 0: only if there is none. @throws SkilletError schedule_changed; not_found when the stage is gone */
  putSchedule(
    schedule: Omit<Schedule, 'revision' | 'last' | 'next_at'>,
    next: NextFire | null,
    revision: number | undefined,
    note: AuditNote,
  ): Promise<Schedule>
  findSchedule(tenant: string, stage: string): Promise<Schedule | null>
  listSchedules(tenant: string, filter: PageOptions & { only?: Only | undefined }): Promise<Page<ScheduleSummary>>
  deleteSchedule(tenant: string, stage: string, note: AuditNote): Promise<boolean>
  /** What became of its instants, newest first; those of a schedule that was deleted too. */
  listFires(tenant: string, stage: string, page: PageOptions): Promise<Page<Fire>>
  /** Enabled ones that are due at that instant, the longest due first. @param after Only what comes after this one, in that order. */
  due(at: number, limit: number, after?: DueSchedule): Promise<DueSchedule[]>
  /** When the next one is due, in milliseconds since 1970. @param after Only what is due later than that. */
  nextDue(after?: number): Promise<number | null>
  /** All in one transaction, each by itself: one that fails is undone alone and rejects nothing, it answers with the error. */
  fire(orders: readonly FireOrder[]): Promise<(FireResult | Error)[]>
  /** A hint after commit: an earlier one may be due now. */
  watchSchedules(wake: () => void): () => void
}

/** A delivery that this process now attempts, under a lease. */
export interface DeliveryClaim {
  readonly delivery: Delivery
  readonly token: number
  /** Which attempt this is since the delivery was made or asked for again, from 1. */
  readonly attempt: number
  readonly webhook: Webhook
  /** JSON text, as it is sent. */
  readonly payload: string
}

/** How many deliveries may still be leased. */
export interface Room {
  /** @param stage Whose endpoint it is. */
  endpoint(stage: string): number
  tenant(id: string): number
  /** Tenants without any: a few, of which nothing is read then, however many endpoints they have. */
  full(): readonly string[]
}

/** What follows from an attempt. */
export interface AttemptEnd {
  readonly status: Exclude<DeliveryStatus, 'cancelled'>
  /** When it is tried again, in milliseconds since 1970; of one that stays pending. */
  readonly retryAt?: number | undefined
  /** Of the webhook as it was sent to: one that was put since has another endpoint, of which this says nothing. */
  readonly revision: number
  /** Ends the webhook and cancels what else is pending for it; told as activity and in the audit log. */
  readonly disable?: 'gone' | 'failing' | undefined
}

export interface WebhookStore {
  /** One a stage. @throws SkilletError webhook_changed; not_found when the stage is gone; secret_unknown */
  putWebhook(
    webhook: Omit<Webhook, 'revision' | 'disabled_reason' | 'failing_since'>,
    revision: number | undefined,
    note: AuditNote,
  ): Promise<Webhook>
  findWebhook(tenant: string, stage: string): Promise<Webhook | null>
  /** Its pending deliveries are cancelled. */
  deleteWebhook(tenant: string, stage: string, note: AuditNote): Promise<boolean>
  listDeliveries(
    tenant: string,
    filter: PageOptions & {
      skill?: string | undefined
      stage?: string | undefined
      run?: string | undefined
      status?: DeliveryStatus | undefined
      only?: Only | undefined
    },
  ): Promise<Page<Delivery>>
  findDelivery(tenant: string, id: string): Promise<{ delivery: Delivery; payload: string } | null>
  /** Pending again and due at once, under the same id. @throws SkilletError not_redeliverable. Null: there is none. */
  redeliver(tenant: string, id: string, note: AuditNote): Promise<Delivery | null>

  /**
   * Leases up to `count` deliveries that are due, of each endpoint and tenant no more than there is room for: those without are passed over,
   * however many of theirs are due.
   */
  takeDeliveries(count: number, leaseMs: number, room: Room): Promise<DeliveryClaim[]>
  /**
   * Writes an attempt down and what follows from it: the end, or when to try again. Success forgets that the webhook failed, failure remembers
   * since when. One that was cancelled meanwhile stays so unless it was delivered. False: the lease is lost.
   * @param attempt Null: nothing was tried, and nothing counts as failed.
   */
  finishAttempt(id: string, token: number, attempt: DeliveryAttempt | null, end: AttemptEnd): Promise<boolean>
  /** Ends every lease at once, after a restart of the only process that can hold any. */
  recoverDeliveries(): Promise<number>
  /** When the next one is due, of endpoints and tenants with room, in milliseconds since 1970; never later than that. */
  nextDelivery(room: Room): Promise<number | null>
  /** A hint after commit. */
  watchDeliveries(wake: () => void): () => void
}

/** What happens in tenants, in the order of its commits. Ids are cursors too, and sort as text in that order. */
export interface ActivityStore {
  /** Oldest first, after the cursor; of all skills, so that what one page costs does not depend on who reads it. @throws SkilletError bad_request for what is no cursor */
  activity(tenant: string, after: string, limit: number): Promise<Activity[]>
  /**
   * The cursor of the newest one: what comes after it is new.
   * @param after When given, this one is answered, or the newest where it is beyond that. @throws SkilletError bad_request for what is no cursor
   */
  present(tenant: string, after?: string): Promise<string>
  /** A hint after commit. */
  watchActivity(tenant: string, wake: () => void): () => void
}

/** The queues as their tenant sees and stops them. */
export interface QueueStore {
  queues(tenant: string): Promise<Queues>
  /** Of the tenant (stage null) or of one stage: what waits stays, what comes waits too. Already so: nothing happens. */
  setPaused(tenant: string, stage: string | null, paused: boolean, note: AuditNote): Promise<void>
}
