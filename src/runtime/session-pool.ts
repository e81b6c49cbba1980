import type { NetworkEntry } from '../model/network.ts'
import type { Flushed, SessionInfo } from '../model/sessions.ts'
import type { Deployment } from '../model/skills.ts'
import type { Session } from './driver.ts'
import type { EndCause } from './members.ts'

/** Sandboxes that are kept for the next run, lent to one run at a time. */
export interface SessionPool {
  /** @throws SandboxError; the signal's reason when aborted. */
  acquire(deployment: Deployment, options?: AcquireOptions): Promise<Lease>
  /** Ends the deployment's sessions: idle ones now, busy ones after their run. It has no spares any more. */
  retire(deployment: string): void
  /** Ends the sessions of these deployments: idle ones now, busy ones after their run. */
  flush(which: (deployment: Deployment) => boolean): Flushed
  /** Prepares one session ahead of need, if there is room and a processor for it. */
  warmUp(deployment: Deployment): Promise<void>
  list(which: (deployment: Deployment) => boolean): SessionInfo[]
  /** Ends what is idle for too long, too old, or a spare too many; done every 10 seconds. */
  sweep(): void
  stats(): PoolStats
  close(): Promise<void>
}

export interface AcquireOptions {
  /** Stands for the secrets of the run: a session that served another variant serves no other, and is ended. */
  readonly variant?: string
  /** What the run may reach besides the network list of its deployment. Default: nothing. */
  readonly network?: readonly NetworkEntry[]
  readonly signal?: AbortSignal | undefined
}

export interface Lease {
  readonly session: Session
  /** True when it served runs before. */
  readonly warm: boolean
  /** Gives the session back: to be used again, or ended. Resolves when that is done; nobody has to wait for it. */
  release(): Promise<void>
}

export interface PoolStats {
  readonly idle: number
  readonly busy: number
  readonly spare: number
  /** Sum of the sessions' memory limits. */
  readonly memory_mb: number
}

export interface PoolObserver {
  /** @param ms From the question to the session, time in line included. */
  started(start: SessionStart, ms: number): void
  ended(cause: EndCause): void
}

/** `spare`: it was made ahead of need and had served nothing; `cold`: it was made for this run. */
export type SessionStart = 'warm' | 'spare' | 'cold'
