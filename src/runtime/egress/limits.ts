/** What one sandbox may have of the way out, so that nobody's traffic is at the cost of another's. */
export interface EgressLimits {
  /** Connections at once. Default 128. */
  readonly connections: number
  /** New connections a second, after a burst of `connectionBurst`. Default 50. */
  readonly connectionRate: number
  /** Default 128: all of them may begin together. */
  readonly connectionBurst: number
  /**
   * Connections over that rate which are refused one by one in a second, after a burst of `excessBurst`. A sandbox that goes on beyond that
   * loses its way out. Default 200.
   */
  readonly excessRate: number
  /** Default 2,000. */
  readonly excessBurst: number
  /** Connections that are looked up and dialed at once; more wait for their turn. Default 32. */
  readonly connecting: number
  /** Bytes in an hour, both directions together. Default 2 GiB. */
  readonly bytes: number
  /** Bytes a second, both directions together; what is faster waits. Default 50 MB. */
  readonly byteRate: number
  /** Queries of the DNS a second, after a burst of twice as many; more wait, or are not answered. Default 200. */
  readonly queryRate: number
  /** Different names in its life: wildcards have any number. Default 1,024. */
  readonly names: number
  /** How long nothing may go either way, in milliseconds. Default five minutes. */
  readonly idleMs: number
  /** Until a connection is made, over all addresses of a name, in milliseconds. Default 10,000. */
  readonly connectMs: number
  /** Until a program has said with whom it wants to speak TLS, in milliseconds. Default 10,000. */
  readonly helloMs: number
  /** Connections of all sandboxes together. Default 2,048; each sandbox has `connectionsAssured` in any case. */
  readonly totalConnections: number
  /** Default 4. */
  readonly connectionsAssured: number
}

export const EGRESS_LIMITS: EgressLimits = {
  connections: 128,
  connectionRate: 50,
  connectionBurst: 128,
  excessRate: 200,
  excessBurst: 2000,
  connecting: 32,
  bytes: 2 * 2 ** 30,
  byteRate: 50_000_000,
  queryRate: 200,
  names: 1024,
  idleMs: 300_000,
  connectMs: 10_000,
  helloMs: 10_000,
  totalConnections: 2048,
  connectionsAssured: 4,
}
