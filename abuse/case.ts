import type { LogLine } from '../src/model/runs.ts'
import type { Call, CallResult, Driver, DriverCapabilities, Session, SessionSpec } from '../src/runtime/driver.ts'
import type { Places } from '../src/runtime/bwrap/places.ts'
import type { AbuseNetwork } from './net.ts'

/** One way in which a sandbox is attacked. The numbers and titles are the suite's promise: see docs/security.md. */
export interface AbuseCase {
  readonly number: number
  readonly title: string
  readonly python?: Attack | readonly Attack[]
  readonly node?: Attack | readonly Attack[]
  /** What is no handler: zips, builds, servers, several sessions. Throws when the attack succeeded. */
  readonly world?: (world: AbuseWorld) => Promise<void>
  /** A reason why it can't be run here, or null. */
  readonly cannot?: (world: AbuseWorld) => Promise<string | null> | string | null
  /** `heavy`: one such case at a time. `alone`: nothing else of the suite runs meanwhile, neighbours apart. Default: several at a time. */
  readonly load?: 'heavy' | 'alone'
}

/** A skill that attacks: it returns evidence, or dies of what it did. */
export interface Attack {
  /** Python: a module with `handler(input)` or `handler(input, context)`. Node: an ES module with `execute(input, context)`. */
  readonly code: string
  /** A JSON value, or what makes it. */
  readonly input?: unknown
  /** How the run has to end: `succeeded`, `failed/memory_limit`, … */
  readonly outcome: string | RegExp
  readonly spec?: Partial<SessionSpec> | ((world: AbuseWorld) => Partial<SessionSpec>)
  /** Default two minutes: a slow machine is no finding. */
  readonly timeout_ms?: number
  /** More files of the bundle. */
  readonly files?: Readonly<Record<string, string>>
  /** Of the call, besides what is named above: secrets, environment, redactor. */
  readonly call?: Partial<Call>
  /** Asserts that the attack failed; throws. */
  readonly held?: (ran: AttackRun, world: AbuseWorld) => void | Promise<void>
}

export interface AttackRun {
  /** Parsed; undefined where the run failed. */
  readonly output: unknown
  readonly result: CallResult
  readonly logs: readonly LogLine[]
  readonly session: Session
}

/** What a case works with. Sessions and folders made by it are gone after the case. */
export interface AbuseWorld {
  readonly as: 'root' | 'user'
  readonly driver: Driver
  readonly places: Places
  readonly limits: DriverCapabilities['limits']
  /** What there is to be reached. Sandboxes reach nothing of it without an entry of a network list. */
  readonly network: AbuseNetwork
  /** An unpacked bundle, as the build would have made it. Without it nothing is in the sandbox. */
  bundle(files: Readonly<Record<string, string>>): Promise<string>
  python(code: string, spec?: Partial<SessionSpec>, files?: Readonly<Record<string, string>>): Promise<Session>
  node(code: string, spec?: Partial<SessionSpec>, files?: Readonly<Record<string, string>>): Promise<Session>
  /** One call; `change.signal` cancels it. */
  invoke(session: Session, input: unknown, change?: Partial<Call> & { signal?: AbortSignal }): Promise<AttackRun>
  /**
   * The next run of the same skill, on the session that it has: one that did not come back failed the case. Where it was retired (see
   * `mayRetire`) it has to be gone for good, with all that was in it, and the run is the first of its successor.
   */
  again(session: Session, input: unknown, change?: Partial<Call>): Promise<AttackRun>
  /**
   * Whether it may be ended after a run that did nothing wrong: where there is only a watchdog a Node process that had to let others go
   * first stays behind them, so that it serves no other run. On a busy machine that happens to any that computes.
   */
  mayRetire(session: Session): boolean
  /** A folder on the host. */
  folder(): Promise<string>
  /** Done after the case, last one first, however it ends. */
  after(cleanup: () => unknown): void
}
