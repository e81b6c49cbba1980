import type { Page, PageOptions } from '../model/page.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Throttle } from '../model/quotas.ts'
import type { FailureReason, LogLine, Run, RunError, RunEvent, RunStatus, Usage } from '../model/runs.ts'
import type { QueueName } from '../model/sizes.ts'
import type { Only } from './flow-ports.ts'

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
  readonly take?: { readonly leaseMs: number; readonly begin?: Begin } | undefined
  /** W3C traceparent, handed to whoever claims the run. */
  readonly trace?: string | undefined
}

/**
 * Told what was taken as soon as no end of this process undoes it: it may begin while the disk is still being waited for. Should the machine
 * die before that is done, nobody was told of the run. Called once, before the answer; not at all when the transaction fails.
 */
export type Begin = (taken: readonly Claim[]) => void

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
   * @throws SkilletError not_found when the stage was deleted: then there is no run.
   */
  admit(run: Run, queue: QueueName, note: AuditNote, options?: AdmitOptions): Promise<Admission>
  find(tenant: string, id: string): Promise<Run | null>
  /** As lists have it: `input` and `output` are null. For those who want to know how it stands: payloads may be megabytes. */
  look(tenant: string, id: string): Promise<Run | null>
  /** `input` and `output` are null here: a page of large ones would not fit into memory. */
  list(tenant: string, filter: RunFilter): Promise<Page<Run>>

  /**
   * Takes up to `count` runs from a queue under a lease and starts them: they come back `running`, with their event written.
   * Also takes runs whose lease ran out; one that was tried LIMITS.attempts times becomes `failed/worker_lost` instead.
   * The quota is admitted in the same transaction: a run over a cap becomes `throttled` and is not returned, nor is one of a suspended tenant.
   * Fair between tenants: each tenant's runs are spread over the turns of the queue, so that a tenant's first run comes next but for at most
   * one of each other tenant, however many those have waiting. Nothing of a paused stage or tenant is taken.
   */
  take(queue: QueueName, count: number, leaseMs: number, begin?: Begin): Promise<Claim[]>
  /** Extends leases. Answers what became of each: `lost` means that the token is no longer the present one. */
  heartbeat(claims: readonly { run: string; token: number }[], leaseMs: number): Promise<('held' | 'cancel' | 'lost')[]>
  /** Appends `log` events. False: the lease is lost, nothing was written. */
  appendLogs(run: string, token: number, lines: LogLine[]): Promise<boolean>
  /**
   * Terminal state, events and removal from the queue in one transaction. Null: the lease is lost, nothing was written.
   * @param claimed The run as it was claimed with this token, where that is at hand: what cannot have changed since is not read again.
   */
  finish(run: string, token: number, ending: Ending, claimed?: Claim['run']): Promise<Run | null>
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
