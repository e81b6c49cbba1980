/** What a size gives a run (DESIGN 9). L and XL go to the `long` queue. */
export interface SizeSpec {
  readonly memory_mb: number
  /** CPUs' worth of time at the most, however many threads take it; all that the machine has, where it has no more. */
  readonly cpus: number
  readonly timeout_s: number
  readonly queue: QueueName
}

export type QueueName = 'default' | 'long'

export const SIZES = {
  S: { memory_mb: 256, cpus: 1, timeout_s: 60, queue: 'default' },
  M: { memory_mb: 512, cpus: 2, timeout_s: 300, queue: 'default' },
  L: { memory_mb: 1024, cpus: 2, timeout_s: 3600, queue: 'long' },
  XL: { memory_mb: 2048, cpus: 4, timeout_s: 28_800, queue: 'long' },
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
  /** Of a schedule: it is read each time that the schedule is looked at. */
  scheduleInputBytes: 64 * 2 ** 10,
  outputBytes: 6 * 2 ** 20,
  /** stdout and stderr of one run together; what is over is cut and marked. */
  logBytes: 2 ** 20,
  /** The body of an invocation, and that of any other request with JSON. */
  requestBytes: 7 * 2 ** 20,
  bodyBytes: 2 ** 20,
  /** Lists and objects in a body, and different names of members or orders of them: building those takes many times as long as reading them. */
  jsonContainers: 250_000,
  jsonShapes: 20_000,
  /** Members and characters of a message of MCP, besides the arguments of a tool. */
  rpcMembers: 1000,
  rpcChars: 2 ** 18,
  /** URL and headers of a request together, the URL alone, and the number of headers. */
  headerBytes: 16 * 2 ** 10,
  urlBytes: 8 * 2 ** 10,
  headerFields: 100,
  /** Open connections; one more is hung up on. */
  connections: 8192,
  /** Bodies of requests and answers that are under way, those over 64 KiB, in bytes: of all tenants, and of one. */
  payloadBytes: 256 * 2 ** 20,
  tenantPayloadBytes: 96 * 2 ** 20,
  /** Event streams of one tenant that are open at once. */
  streamsPerTenant: 6000,
  /** The value of a secret, in UTF-8. */
  secretBytes: 64 * 2 ** 10,
  /** The values of all secrets of one run together. */
  runSecretBytes: 128 * 2 ** 10,
  /** Environment variables in the configuration of a stage. */
  envEntries: 1000,
  /** Skills in the grants of one principal together, each counted as often as it is named: with each list all of them are looked at. */
  grantedSkills: 10_000,
  /** References to secrets in the configuration of a stage. */
  secretRefs: 100,
  schemaBytes: 256 * 2 ** 10,
  schemaDepth: 64,
  schemaRefs: 256,
  schemaPatternChars: 1000,
  /** Longest enum, list of alternatives or table of properties in a schema. */
  schemaEntries: 2000,
  /** How deep a value that is checked against a schema may nest. */
  valueDepth: 256,
  /** How long a check against a schema may take, in milliseconds. */
  schemaMs: 1000,
  /** A manifest (skill.yaml, spm.yaml, package.json). */
  manifestBytes: 768 * 2 ** 10,
  /** A SKILL.md, and the frontmatter in it. */
  skillMdBytes: 2 ** 20,
  frontmatterBytes: 64 * 2 ** 10,
  /** What is read of a file of a package at a time. */
  fileReadBytes: 32 * 2 ** 20,
  /** How long reading an archive may take, in seconds. */
  unpackSeconds: 30,
  /** How many times smaller than its content a large file in an archive may be. */
  compressionRatio: 200,
  /** How long an Idempotency-Key is remembered, in seconds. */
  idempotencySeconds: 86_400,
  /** Longest time for which a tenant keeps what is over, in days. */
  retentionDays: 180,
  /** Longest `Prefer: wait`, in seconds. */
  waitSeconds: 300,
  /** How often a run is started again after its worker was lost, in all. */
  attempts: 3,
  /** Webhooks being sent at once: in all, for one tenant, to one endpoint. */
  webhookSends: 256,
  webhookTenantSends: 32,
  webhookEndpointSends: 4,
  /** How long an endpoint may take to answer, in seconds; and how long it may fail before its webhook is disabled, in days. */
  webhookSeconds: 15,
  webhookFailingDays: 5,
  /** Unpacked bundles that are kept for the next session, those in use aside. */
  bundleCacheBytes: 10 * 2 ** 30,
  /** Free space on the disk of the data folder below which the server is not ready. */
  diskReserveBytes: 256 * 2 ** 20,
} as const
