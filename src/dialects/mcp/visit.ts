import type { Caller } from '../../model/access.ts'
import type { Coverage } from '../../model/coverage.ts'

/** One message, and who sent it. Each has a server of its own, made for it. */
export interface Visit {
  readonly caller: Caller
  /** What of the catalogue the caller may see. */
  readonly coverage: Coverage | null
  /** Whose skills are served: undefined is AGENT_STAGE. */
  readonly stage: string | undefined
  /** As it was asked for, for the audit log. */
  readonly route: { readonly method: string; readonly path: string }
  /** The JSON-RPC message; checked no further than that it is an object. */
  readonly message: Readonly<Record<string, unknown>>
  /** Arguments that are too many to be in the message; null: they are in it. */
  readonly aside: Readonly<Record<string, unknown>> | null
  /** Of an `Idempotency-Key` header; null: none. */
  readonly idempotencyKey: string | null
  /** Aborted when the client has gone, or the server stops. */
  readonly signal: AbortSignal
  /** Aborted when the client said in another message that it is not interested any more. */
  readonly cancelled: AbortSignal
  /** Told of faults of ours. */
  fault(error: unknown): void
}
