/** What a size gives a run (DESIGN 9). L and XL go to the `long` queue. */
export interface SizeSpec {
  readonly memory_mb: number
  readonly timeout_s: number
  readonly queue: QueueName
}

export type QueueName = 'default' | 'long'

export const SIZES = {
  S: { memory_mb: 256, timeout_s: 60, queue: 'default' },
  M: { memory_mb: 512, timeout_s: 300, queue: 'default' },
  L: { memory_mb: 1024, timeout_s: 3600, queue: 'long' },
  XL: { memory_mb: 2048, timeout_s: 28_800, queue: 'long' },
} as const satisfies Record<string, SizeSpec>

export type Size = keyof typeof SIZES

/** Fixed limits, in bytes unless the name says otherwise. Each one is named in docs/limits.md. */
export const LIMITS = {
  /** The zip itself. */
  uploadBytes: 50 * 2 ** 20,
  /** Everything in the zip, inflated: counted as it inflates, headers lie. */
  packageBytes: 200 * 2 ** 20,
  packageEntries: 2000,
  pathChars: 260,
  /** Life of an upload URL, in seconds. */
  uploadSeconds: 900,
  inputBytes: 6 * 2 ** 20,
  outputBytes: 6 * 2 ** 20,
  /** stdout and stderr of one run together; what is over is cut and marked. */
  logBytes: 2 ** 20,
  requestBytes: 7 * 2 ** 20,
  schemaBytes: 256 * 2 ** 10,
  schemaDepth: 64,
  schemaRefs: 256,
  /** How long an Idempotency-Key is remembered, in seconds. */
  idempotencySeconds: 86_400,
  /** Longest `Prefer: wait`, in seconds. */
  waitSeconds: 300,
  /** How often a run is started again after its worker was lost, in all. */
  attempts: 3,
} as const
