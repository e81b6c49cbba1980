import type { DenialReason, EgressTraffic } from './egress.ts'
import type { EgressLimits } from './limits.ts'
import type { Listening } from './messages.ts'

export interface EgressOptions {
  /** Networks that the operator opens to skills although they are not public. Default: none. */
  readonly networks?: readonly string[] | undefined
  /** As `address` or `address:port`. Default: the machine's. */
  readonly dnsServers?: readonly string[] | undefined
  /** Where this server listens, which no skill may reach. Null: not yet. */
  readonly own: () => Listening | null
  /** How long the process stays when no sandbox needs it, in milliseconds. Default: a minute. */
  readonly restMs?: number | undefined
  /** How long a sandbox may wait for its way out before the process is asked whether it is there at all, in milliseconds. Default 30,000. */
  readonly answerMs?: number | undefined
  /** How long that may take; one that is silent for so long is stuck, and ended. Default 30,000. */
  readonly pulseMs?: number | undefined
  readonly limits?: Partial<EgressLimits> | undefined
  /** Told of the traffic of all sandboxes. Default: nobody is. */
  readonly observed?: EgressObserved | undefined
  readonly onError: (error: unknown, doing: string) => void
}

export interface EgressObserved {
  /** What went through since the last time, for one sandbox. */
  traffic(more: EgressTraffic): void
  denied(why: DenialReason, times: number): void
}
