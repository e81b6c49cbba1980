import type { LogLine } from '../model/runs.ts'
import type { Connection } from '../model/secrets.ts'
import type { FailureReason, RunError, Usage } from '../model/runs.ts'
import type { NetworkEntry } from '../model/network.ts'
import type { Handler, RuntimeName } from '../model/packages.ts'
import type { DeniedAttempt, LearntNames } from './egress/egress.ts'

/**
 * How sandboxes are made. `bwrap` is the embedded one; AgentCore maps a session to a runtime session.
 * A driver knows nothing of tenants' rights, queues or schemas: it executes.
 */
export interface Driver {
  readonly name: string
  capabilities(): DriverCapabilities
  /** A new sandbox with the deployment's code ready to be called. The abort signal kills it. @throws SandboxError */
  prepare(spec: SessionSpec, signal?: AbortSignal): Promise<Session>
  /** Runs one command in a fresh sandbox: validation and builds. Never rejects for what the command does. @throws SandboxError when there is no sandbox. */
  tool(spec: ToolSpec, signal?: AbortSignal): Promise<ToolResult>
  /** Kills all and waits until nothing is left: no process, cgroup, mount or temporary folder. */
  close(): Promise<void>
}

export interface DriverCapabilities {
  /** What keeps a sandbox apart; `none` is for development. */
  readonly tier: 'none' | 'namespace' | 'kernel' | 'microvm'
  /** `hard`: cgroups. `soft`: a watchdog that polls. */
  readonly limits: 'hard' | 'soft' | 'none'
  /** How they are held: by what, and whether CPU time is among them. Missing where the driver cannot tell. */
  readonly held?: { readonly by: string; readonly cpu: boolean }
  /** `none`: no network at all. `enforced`: a deployment's domain list is held. `open`: everything is reached, whatever a list says. */
  readonly network: 'none' | 'enforced' | 'open'
}

export interface SessionSpec {
  /** `session-…`, 33 to 100 characters. */
  readonly id: string
  readonly runtime: RuntimeName
  readonly handler: Handler
  /** Host folder that holds the unpacked bundle; seen read-only at /skill. */
  readonly bundle: string
  readonly memory_mb: number
  /** CPUs' worth of time at the most; held where limits are hard. Default: as much as there is. */
  readonly cpus?: number
  /** What the sandbox may reach: nothing when empty. */
  readonly network: readonly NetworkEntry[]
  /** Made ahead of need: what takes long and is the same for every call is done before the first one. Default false. */
  readonly ahead?: boolean
}

export interface Session {
  readonly id: string
  /** False once it may not serve again: killed, timed out, out of memory, a protocol fault. */
  readonly usable: boolean
  /** How many calls it has served. */
  readonly calls: number
  /** Executes one run; one at a time. Never rejects for what the skill does. Aborting kills the session and answers `cancelled`. */
  invoke(call: Call, onLog: (lines: LogLine[]) => void, signal?: AbortSignal): Promise<CallResult>
  /** Waits until what the last call left is cleaned up. True when the session may serve again. */
  idle(): Promise<boolean>
  /** Ends it and waits until it is gone. May be called twice. */
  kill(): Promise<void>
}

export interface Call {
  readonly run: {
    readonly id: string
    readonly skill: string
    readonly stage: string
    readonly version: string
    readonly attempt: number
    /** RFC 3339. */
    readonly deadline: string
    /** W3C, for a skill that traces what it does; missing where nothing is traced. */
    readonly traceparent?: string | undefined
  }
  /** A JSON value. For `skill-md`: `{script, args?, stdin?}`. */
  readonly input: unknown
  /** Plain environment and secrets of this run; travels on the control pipe. Reserved names are stripped here. */
  readonly env: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** The parts of those secrets that are connections (DESIGN 9). */
  readonly connections: Readonly<Record<string, Connection>>
  /** Takes what is secret out of log lines and error texts; null where nothing is. */
  readonly redactor: Redactor | null
  readonly timeout_ms: number
}

export type CallResult = (
  | {
      readonly status: 'succeeded'
      /** JSON text as the skill gave it, checked to be one JSON value within LIMITS.outputBytes. */ readonly output: string
    }
  | { readonly status: 'failed'; readonly reason: FailureReason; readonly error: RunError }
  | { readonly status: 'cancelled' }
) & { readonly usage: Usage }

/** Finds secrets in text, in the forms that they commonly take. */
export interface Redactor {
  /** The text with every secret replaced. */
  redact(text: string): string
  /** How much of a text, which goes on with something unknown, may be shown: not into a secret that it holds, nor one that may begin. */
  safeLength(text: string): number
  /** As `redact`, for a piece that was cut out of a longer text: what is left of a secret at its ends goes too. */
  redactPiece(text: string): string
}

/** One command in a fresh sandbox. */
export interface ToolSpec {
  readonly argv: readonly string[]
  /**
   * Host paths seen read-only; `target` is absolute inside. Besides them: /usr, a minimal /etc, Node at /opt/skillet/node and one sized
   * tmpfs at /scratch, in which /tmp lies too (as /scratch/.tmp). Nothing else.
   */
  readonly binds: readonly { readonly source: string; readonly target: string }[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string | Uint8Array
  /** For processes; what lies in /scratch and /tmp comes on top, up to `disk_mb`. */
  readonly memory_mb: number
  /** Size of /scratch and /tmp together, in MB: full means ENOSPC inside. */
  readonly disk_mb: number
  readonly timeout_ms: number
  readonly pids?: number
  /** CPUs' worth of time at the most; held where limits are hard. Default 2. */
  readonly cpus?: number
  /** stdout and stderr are each cut here; default 1 MiB. */
  readonly output_bytes?: number
  /** Where what the command writes to file descriptor 3 goes, and how much of it at the most (more kills it: `output_limit`). */
  readonly artefact?: { readonly write: (chunk: Uint8Array) => Promise<void>; readonly maxBytes: number }
  /** What the command may reach, by the operator's word. Default: nothing. */
  readonly network?: readonly NetworkEntry[]
  /** Names of it that are not quite that. Default: none. */
  readonly learnt?: LearntNames | undefined
}

export interface ToolResult {
  readonly ended: 'exit' | 'signal' | 'timeout' | 'memory_limit' | 'output_limit' | 'cancelled'
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** What it tried to reach in vain, each target once, at most 20. */
  readonly denied: readonly DeniedAttempt[]
  readonly usage: Usage
}

/** The sandbox itself could not be made or broke. `fix` says what an operator can do. */
export class SandboxError extends Error {
  readonly fix: string
  constructor(message: string, fix: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SandboxError'
    this.fix = fix
  }
}
