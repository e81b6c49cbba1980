import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { LaunchSpec } from './launch-spec.ts'

/** What keeps a sandbox apart: how its first process is started. Limits, users and ends are the launcher's. */
export interface Jail {
  /** What it needs itself, on top of what a sandbox may use. */
  readonly own: { processes(pids: number): number; readonly memory_bytes: number }
  /** Of processes, one below the other, down to the command; null where what it starts is not below it. */
  readonly levels: number | null
  /** Whether a network list is held: `open` is a jail that holds nobody back. */
  readonly network: 'held' | 'open'
  /**
   * Starts the process, which waits at its gate until it was put under the limits.
   * @param user Of the host, to run as; null for the server's own.
   * @param openEntrances See LimitGroup; a jail need not make use of it.
   */
  start(
    spec: LaunchSpec,
    user: { readonly uid: number; readonly gid: number } | null,
    openEntrances?: () => number[],
  ): Started
}

export interface Started {
  readonly child: ChildProcess
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** File descriptors 3 and 4 inside. */
  readonly extra: readonly [Duplex, Duplex]
  /** Opened by a line; null where there is none. */
  readonly gate: Writable | null
  /** It puts itself under the limits, and ends where it cannot. Default: it is put under them. */
  readonly enters?: boolean
  /** False when it ended before the command was started. */
  started(): boolean
  /** Resolves once all of it ends with this process. Default: as soon as the command says anything it does. */
  tied?(): Promise<void>
  kill(): void
  /** Removes what is left on the host when everything in it is gone. */
  clear?(): Promise<void>
}
