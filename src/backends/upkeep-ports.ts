/** What each tenant has of that grows with time, in the order in which it is removed: what refers to something goes before it. */
export const TENANT_SWEEPS = ['runs', 'deliveries', 'fires', 'activity', 'skills', 'uploads', 'packages'] as const
export type TenantSweep = (typeof TENANT_SWEEPS)[number]

/** One short step of a sweep. */
export interface SweepStep {
  /** How many things are gone, with all that was theirs. */
  readonly removed: number
  /** Where the next step goes on; null: this was the last. */
  readonly next: string | null
}

/** A value in the vault that no secret points at, as it was found. */
export interface StrayValue {
  readonly path: string
  readonly revision: number
  /** Tells it from another value under the same path and revision. */
  readonly mark: string
}

/**
 * Removing what is over and old. Each verb is one step, and no step holds up others for more than some milliseconds: whoever sweeps goes on
 * from step to step and lets others have their turn in between. Audit rows and usage are never removed.
 */
export interface UpkeepStore {
  /** Tenants in the order of their ids, suspended ones too, with the days for which they keep what is over. @param after The id of the last one of the page before. */
  retentions(after: string | null): Promise<{ readonly tenant: string; readonly days: number }[]>

  /**
   * One step of what is over for longer than since that instant. What is not over stays, however old it is, and what others need:
   * - runs: with inputs, outputs and events; not one that a pending delivery tells of.
   * - deliveries, fires, and activity that is no run's.
   * - skills: deleted ones without any runs, with their versions, deployments and uploads.
   * - uploads: not the newest of a stage, nor one that is being validated.
   * - packages: those that neither a version nor an upload names, whatever the instant.
   * @param before In milliseconds since 1970.
   * @param from What the step before said.
   */
  sweep(kind: TenantSweep, tenant: string, before: number, from: string | null): Promise<SweepStep>
  /** One step of the idempotency keys that are forgotten at that instant. */
  sweepIdempotency(at: number): Promise<SweepStep>

  /** Values that no secret points at: left over, or just being written. */
  strayValues(from: string | null): Promise<{ readonly found: StrayValue[]; readonly next: string | null }>
  /** False: it is not as it was found any more. */
  removeStray(value: StrayValue): Promise<boolean>

  /** Those that nothing refers to: no package, no deployment, no upload that is being validated. @param sha256 At most 200. */
  unusedBlobs(sha256: readonly string[]): Promise<string[]>

  /**
   * A copy of the state as it is at one moment, into a file that does not exist yet, while others go on reading and writing. What is
   * acknowledged before is in it.
   */
  copyTo(file: string): Promise<StateCopy>
}

/** A copy of the state, which nobody changes any more. */
export interface StateCopy {
  /** Number of its schema. */
  readonly schema: number
  /** All blobs that it refers to, each once, in their order. */
  blobs(): AsyncIterable<string>
}

/** Blobs as what is tidied up. */
export interface BlobShelves {
  /** All that are kept, some at a time. What is put or removed meanwhile may be among them or not. */
  list(): AsyncIterable<readonly string[]>
  /**
   * Removes the blob unless it was put since that instant, in milliseconds since 1970, or is found to be used then. It is not put meanwhile:
   * a `put` of the same bytes waits, and finds that they are gone, or comes before and is seen.
   */
  sweep(sha256: string, before: number, isUnused: () => Promise<boolean>): Promise<boolean>
}
