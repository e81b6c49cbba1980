import type { NetworkEntry } from '../../model/network.ts'

/**
 * The way out of sandboxes: one process beside the server that answers their DNS queries and forwards their connections, so that no
 * tenant's traffic is ever handled by the process that serves the API. A sandbox is known by the sockets that were opened inside its
 * own network namespace, which nobody else has: there is nothing in it that could be forged.
 */
export interface Egress {
  /**
   * Takes the sockets that a sandbox has opened; from its answer on they serve. The handles are closed in this process by then.
   * @throws EgressUnavailable when the process cannot be had.
   */
  connect(sockets: SandboxSockets, rules: EgressRules, observer: EgressObserver): Promise<EgressLink>
  /** Ends the process and all that goes through it. May be called twice. */
  close(): Promise<void>
}

/** Bound inside the sandbox's network namespace: UDP at 127.0.0.1:53, TCP at 0.0.0.0 and each port. Handles as Node's IPC delivers them. */
export interface SandboxSockets {
  readonly dns: unknown
  readonly tcp: readonly { readonly port: number; readonly handle: unknown }[]
}

export interface EgressRules {
  readonly allow: readonly NetworkEntry[]
  /**
   * Whose word the list is. `tenant`: every resolved address is checked, and connected to as it was checked. `operator` (package
   * indexes): connected to by name, by way of the machine's own proxy where it has one, whatever the address.
   */
  readonly trust: 'tenant' | 'operator'
  /** Names of an operator's list that are not his word: their addresses are checked all the same. */
  readonly learnt?: LearntNames | undefined
}

/** What stood on a page of a host that the operator named. */
export interface LearntNames {
  readonly from: string
  readonly names: readonly string[]
}

/** One sandbox's way out. */
export interface EgressLink {
  /** What went through so far. */
  traffic(): EgressTraffic
  /** Resolves when every attempt that was refused until now has been told to the observer; at once when the process is gone. */
  told(): Promise<void>
  /** Ends its connections and closes its sockets. May be called twice. */
  close(): void
}

export interface EgressTraffic {
  readonly connections: number
  readonly bytes_out: number
  readonly bytes_in: number
}

export interface EgressObserver {
  /** An attempt that was refused. Told at most a few times a second for each link: `times` says how many were alike. */
  denied(attempt: DeniedAttempt): void
  /** The process ended: nothing goes through any more. */
  lost(): void
}

export interface DeniedAttempt {
  /** As it was asked for, at most 253 characters, printable; an address where no name was looked up. */
  readonly host: string
  /** Null for a query of the DNS. */
  readonly port: number | null
  readonly why: DenialReason
  readonly times: number
}

export const DENIAL_REASONS = [
  'name', // not in the list
  'port', // the name is, with another port
  'literal', // an address that no name stands for
  'address', // the name's address is private, or otherwise none that may be reached
  'server_name', // TLS to another name than was looked up, or without one
  'unreachable', // resolved or connected to in vain: not refused, but it failed out here
  'limit', // connections, bytes, names or their rate
] as const
export type DenialReason = (typeof DENIAL_REASONS)[number]

export class EgressUnavailable extends Error {
  override readonly name = 'EgressUnavailable'
}
