import { z } from 'zod'
import { AnyObject, Instant } from './json.ts'
import { NetworkList } from './network.ts'
import { FailureReason } from './runs.ts'
import { EnvName } from './secrets.ts'
import { LIMITS } from './sizes.ts'
import { Finding, Handler, RuntimeName, SizeName } from './packages.ts'

/** Names of skills and stages: the open specification's rule for a SKILL.md name, so that one name serves everywhere. */
export const Name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens')
  .meta({ id: 'Name', example: 'release-notes' })

/** What this stage of a skill serves is what agents see of it, unless they ask for another stage. */
export const AGENT_STAGE = 'prod'

export const Skill = z
  .object({
    id: z.string(),
    tenant: z.string(),
    name: Name,
    description: z.string(),
    display_name: z
      .string()
      .nullable()
      .meta({ description: 'For people, where a dialect gave one; need not be unique.' }),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Skill' })
export type Skill = z.infer<typeof Skill>

/** Failures that another attempt may not meet. A lost worker is none of them: such runs are begun again anyway. */
export const RetryReason = FailureReason.extract([
  'runtime_error',
  'timeout',
  'memory_limit',
  'output_invalid',
  'output_too_large',
  'sandbox_error',
  'secret_unavailable',
]).meta({ id: 'RetryReason' })
export type RetryReason = z.infer<typeof RetryReason>

/** When a run that failed is executed again. Without a policy: never. */
export const RetryPolicy = z
  .strictObject({
    attempts: z.number().int().min(1).max(10).meta({ description: 'Executions in all, the first one counted.' }),
    backoff_s: z.number().min(0).max(3600).default(1).meta({
      description: 'Seconds before the second attempt, of which up to half is left out by chance. Default 1.',
    }),
    factor: z
      .number()
      .min(1)
      .max(10)
      .default(2)
      .meta({ description: 'Each further wait is so many times longer. Default 2.' }),
    max_backoff_s: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .meta({ description: 'Longest wait, in seconds. Default 300.' }),
    reasons: z
      .array(RetryReason)
      .min(1)
      .max(RetryReason.options.length)
      .default(['runtime_error', 'timeout', 'memory_limit', 'sandbox_error'])
      .meta({
        description: 'Which failures are tried again.',
      }),
  })
  .refine(({ backoff_s, max_backoff_s }) => backoff_s <= max_backoff_s, {
    path: ['max_backoff_s'],
    message: 'is less than backoff_s, the first wait',
  })
  .meta({ id: 'RetryPolicy' })
export type RetryPolicy = z.infer<typeof RetryPolicy>

/** Counted before any name is looked at: to find fault with each of thousands takes long. */
const byName = (value: z.ZodString) =>
  z.preprocess(
    (table, context) => {
      const count = typeof table === 'object' && table !== null ? Object.keys(table).length : 0
      if (count <= LIMITS.envEntries) return table
      context.addIssue(`has ${count} entries; at most ${LIMITS.envEntries} are taken`)
      return z.NEVER
    },
    z.record(EnvName, value),
  )

/** What a stage may set. Frozen into each deployment; editing it changes nothing that is deployed. */
export const StageConfig = z
  .object({
    size: SizeName.optional(),
    timeout_s: z
      .number()
      .int()
      .min(1)
      .max(28_800)
      .optional()
      .meta({ description: 'Wall time of one run, in seconds. Default: that of the size.' }),
    isolation: z.enum(['session', 'fresh']).optional().meta({
      description:
        '`session`: warm sandboxes serve many runs of this deployment. `fresh`: a never-used sandbox for every run. Default: session.',
    }),
    env: byName(z.string().max(4096)).optional().meta({ description: 'Plain environment variables.' }),
    secret_refs: byName(z.string().max(100))
      .optional()
      .meta({ description: 'Environment variables whose values are secrets: NAME to id or name of a secret.' }),
    network: NetworkList.optional(),
    retry: RetryPolicy.optional().meta({ description: 'Default: a run that failed is not tried again.' }),
  })
  .meta({ id: 'StageConfig' })
export type StageConfig = z.infer<typeof StageConfig>

export const StageState = z
  .enum(['empty', 'validating', 'validation_failed', 'ready_to_deploy', 'active'])
  .meta({ id: 'StageState' })
export type StageState = z.infer<typeof StageState>

/**
 * `state` speaks of the newest upload while there is one that is not deployed, else of the deployment:
 * a stage whose newest upload failed validation still serves its deployment.
 */
export const Stage = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    name: Name,
    state: StageState,
    config: StageConfig,
    /** The newest upload, if it was not deployed yet. */
    upload: z.string().nullable(),
    /** What is being served. */
    deployment: z.string().nullable(),
    paused: z.boolean().meta({ description: 'Its runs are taken in and wait.' }),
    /** Goes up with every change: state changes are conditional on it. */
    revision: z.number().int(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Stage' })
export type Stage = z.infer<typeof Stage>

/** `pending -> received -> validating -> accepted | rejected`, or `pending -> expired`. */
export const UploadState = z
  .enum(['pending', 'received', 'validating', 'accepted', 'rejected', 'expired'])
  .meta({ id: 'UploadState' })
export type UploadState = z.infer<typeof UploadState>

export const Upload = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    stage: z.string(),
    state: UploadState,
    size: z.number().int(),
    sha256: z.string(),
    /** What the validator is doing now, for people who wait: `checking`, `scanning`, `building`. */
    step: z.string().nullable(),
    findings: z.array(Finding),
    /** Digest of the accepted package. */
    digest: z.string().nullable(),
    created_by: z.string(),
    created_at: Instant,
    expires_at: Instant,
    finished_at: Instant.nullable(),
  })
  .meta({ id: 'Upload' })
export type Upload = z.infer<typeof Upload>

/** A named package of a skill: semver -> digest, for ever. */
export const Version = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    version: z.string(),
    sequence: z.number().int().meta({ description: 'Which of the skill it is, from 1: never given to another one.' }),
    digest: z.string(),
    created_by: z.string(),
    created_at: Instant,
  })
  .meta({ id: 'Version' })
export type Version = z.infer<typeof Version>

export const ChangeLevel = z.enum(['patch', 'minor', 'major']).meta({ id: 'ChangeLevel' })
export type ChangeLevel = z.infer<typeof ChangeLevel>

/** What a stage froze when it was activated. Immutable: stages point at it, runs keep the one they were admitted with. */
export const Deployment = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    stage: z.string(),
    version: z.string(),
    digest: z.string(),
    input_schema: AnyObject,
    output_schema: AnyObject.nullable(),
    handler: Handler,
    runtime: RuntimeName,
    bundle_blob: z.string(),
    config: StageConfig.required({
      size: true,
      timeout_s: true,
      isolation: true,
      env: true,
      secret_refs: true,
      network: true,
    }),
    change_level: ChangeLevel.nullable(),
    /** How it came about: a deploy of this stage, a promotion from another, or both for a rollback's target. */
    origin: z.enum(['deploy', 'promote']),
    promoted_from: z.string().nullable(),
    created_by: z.string(),
    created_at: Instant,
  })
  .meta({ id: 'Deployment' })
export type Deployment = z.infer<typeof Deployment>

/** One pointer move of a stage: deploy, promote or rollback. */
export const Activation = z
  .object({
    deployment: z.string(),
    version: z.string(),
    kind: z.enum(['deploy', 'promote', 'rollback']),
    by: z.string(),
    at: Instant,
  })
  .meta({ id: 'Activation' })
export type Activation = z.infer<typeof Activation>
