import { z } from 'zod'
import { AnyJson, Instant } from './json.ts'
import { Throttle } from './quotas.ts'

export const RunStatus = z
  .enum(['queued', 'running', 'succeeded', 'failed', 'cancelled', 'throttled'])
  .meta({ id: 'RunStatus' })
export type RunStatus = z.infer<typeof RunStatus>

/** Why a run failed. */
export const FailureReason = z
  .enum([
    'runtime_error', // the skill threw, or ended without a result
    'validation_error', // the skill's own validate() refused the input
    'timeout',
    'memory_limit',
    'output_invalid', // not JSON, or not what the frozen output schema says
    'output_too_large',
    'sandbox_error', // the sandbox could not be made, or broke the protocol
    'secret_unavailable', // a secret of its stage is gone, or the vault cannot be read
    'stage_not_active', // a schedule fired and the stage served nothing
    'input_invalid', // a schedule's input does not match the stage's frozen input schema
    'worker_lost', // the worker died while executing, as often as it is tried
  ])
  .meta({ id: 'FailureReason' })
export type FailureReason = z.infer<typeof FailureReason>

export const RunError = z
  .object({ type: z.string(), message: z.string(), stack: z.string().optional() })
  .meta({ id: 'RunError' })
export type RunError = z.infer<typeof RunError>

/** What a run used. Billable time is execution, never queueing. */
export const Usage = z
  .object({
    wall_ms: z.number(),
    cpu_ms: z.number().nullable(),
    peak_memory_bytes: z.number().int().nullable().meta({
      description:
        'The largest that was seen; a watchdog may have missed a short peak, and sees none of a very short run.',
    }),
    limits: z.enum(['hard', 'soft', 'none']).meta({
      description:
        'Who held the limits and measured: the cgroup (`hard`), or a watchdog that looks every 50 ms (`soft`); nobody on a server without isolation (`none`).',
    }),
  })
  .meta({ id: 'Usage' })
export type Usage = z.infer<typeof Usage>

export const Run = z
  .object({
    id: z.string(),
    tenant: z.string(),
    skill: z.string(),
    stage: z.string(),
    deployment: z.string().nullable().meta({ description: 'null: a schedule fired and the stage served nothing.' }),
    version: z.string().nullable(),
    status: RunStatus,
    reason: FailureReason.nullable(),
    error: RunError.nullable(),
    input: AnyJson,
    output: AnyJson,
    attempt: z.number().int().meta({ description: 'How often execution was begun.' }),
    cancel_requested: z.boolean(),
    replay_of: z.string().nullable(),
    scheduled_for: Instant.nullable().meta({ description: 'The instant of the schedule that began it.' }),
    dead_letter: z.boolean().meta({
      description:
        'It failed for good although it was to be tried again, and was neither replayed nor dismissed since.',
    }),
    created_by: z.string(),
    created_at: Instant,
    started_at: Instant.nullable(),
    finished_at: Instant.nullable(),
    /** Session that executed it and whether it was warm. */
    session: z.string().nullable(),
    warm: z.boolean().nullable(),
    /** Milliseconds from admission to the claim, from the claim to a ready sandbox, and in the sandbox. */
    queue_ms: z.number().nullable(),
    start_ms: z.number().nullable(),
    execution_ms: z.number().nullable(),
    usage: Usage.nullable(),
    billable_ms: z.number().int().nullable().meta({ description: 'Execution, rounded up; null until it ended.' }),
    throttle: Throttle.nullable().meta({ description: 'Which cap stopped it, where the status is `throttled`.' }),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof Run>

/** What is known of the execution of a run that was not executed. */
export const NOT_EXECUTED = {
  session: null,
  warm: null,
  start_ms: null,
  execution_ms: null,
  usage: null,
  billable_ms: null,
  throttle: null,
} as const satisfies Partial<Run>

export const TERMINAL: readonly RunStatus[] = ['succeeded', 'failed', 'cancelled', 'throttled']
export const isTerminal = (status: RunStatus): boolean => TERMINAL.includes(status)

/** One line that a run wrote. */
export const LogLine = z
  .object({ at: Instant, stream: z.enum(['stdout', 'stderr', 'system']), text: z.string() })
  .meta({ id: 'LogLine' })
export type LogLine = z.infer<typeof LogLine>

/**
 * An event of a run, numbered from 1 without gaps: the SSE id.
 * `status` carries {status, reason?}, `log` carries {lines: LogLine[]}, `result` carries the finished run's outcome and is the last one.
 */
export const RunEvent = z
  .object({
    run: z.string(),
    seq: z.number().int(),
    type: z.enum(['status', 'log', 'result']),
    at: Instant,
    data: AnyJson,
  })
  .meta({ id: 'RunEvent' })
export type RunEvent = z.infer<typeof RunEvent>
export type NewRunEvent = Pick<RunEvent, 'type' | 'data'>
