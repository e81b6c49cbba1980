import type { Engine } from '../backends/ports.ts'
import type { Claim, Ending } from '../backends/run-ports.ts'
import { now } from '../model/json.ts'
import { type FailureReason, type LogLine, NOT_EXECUTED } from '../model/runs.ts'
import type { Deployment } from '../model/skills.ts'
import { type Call, type CallResult, SandboxError } from '../runtime/driver.ts'
import type { SessionPool } from '../runtime/session-pool.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import { networkOf } from './connection-network.ts'
import type { DeploymentCache } from './deployment-cache.ts'
import type { Span, Tracing } from '../telemetry/tracing.ts'
import { createLogBuffer } from './log-buffer.ts'
import { outputComplaint } from './output-check.ts'
import { afterAttempt } from './retry.ts'
import { type ResolveSecrets, type RunSecrets, handOut } from './run-secrets.ts'
import { readSkillMd } from './skill-md.ts'

/**
 * Executes one claimed run to its terminal state. Rejects only for faults of ours: the lease then runs out and the run is taken again.
 * @param performed Called when nothing is executed any more and only the ending is left to be written: the next run may begin.
 */
export type Execute = (claim: Claim, signal: AbortSignal, performed: () => void) => Promise<void>

/** What ends an execution from outside: the reason of its abort signal. */
export type Interruption = 'cancelled' | 'lease_lost' | 'stopping'

/** How the execution went, before it is written down. */
type Outcome = Omit<Ending, 'logs'>

/** The second half of DESIGN 6: from the claim to the terminal state. */
export function createExecute(parts: {
  engine: Engine
  pool: Pick<SessionPool, 'acquire'>
  schemas: SchemaValidator
  deployments: DeploymentCache
  secrets: ResolveSecrets
  tracing: Tracing
  /** Told why a run did not get its secrets, where that is a fault of ours. */
  onError: (error: unknown, doing: string) => void
}): Execute {
  const { engine, pool, schemas, deployments, secrets: resolve, tracing, onError } = parts

  return (claim, signal, performed) => {
    const { run, trace: parent } = claim
    const attributes = {
      'skillet.run': run.id,
      'skillet.skill': run.skill,
      'skillet.stage': run.stage,
      'skillet.attempt': run.attempt,
    }
    return tracing.span('run', { kind: 'consumer', parent, attributes }, (span) => {
      tracing.past('queue', { parent: parent ?? span.traceparent }, Date.parse(run.created_at), Date.now())
      return execute(claim, signal, performed, span)
    })
  }

  async function execute(
    { run, token, retries }: Claim,
    signal: AbortSignal,
    performed: () => void,
    span: Span,
  ): Promise<void> {
    const logs = createLogBuffer((lines) => engine.runs.appendLogs(run.id, token, lines))
    const deployment = await deployments.get(run.tenant, run.deployment)
    const outcome = await perform(run, deployment, (lines) => logs.add(lines), signal, span)
    span.set({ 'skillet.status': outcome.status })
    if (outcome.status === 'failed') span.fail(outcome.reason ?? 'failed')
    const rest = await logs.drain()
    if (interruption(signal) === 'lease_lost') return
    if (interruption(signal) === 'stopping' && outcome.status === 'cancelled') {
      await engine.runs.release(run.id, token)
      return
    }
    // Null or false mean that the lease went to another worker: its ending counts, this one is dropped.
    const then = afterAttempt(deployment.config.retry, outcome, retries)
    const ending = { ...outcome, logs: rest }
    const written =
      then.retryMs === null
        ? engine.runs.finish(run.id, token, { ...ending, dead_letter: then.deadLetter }, run)
        : engine.runs.retry(run.id, token, ending, then.retryMs)
    performed()
    await written
  }

  async function perform(
    run: Claim['run'],
    deployment: Deployment,
    onLog: (lines: LogLine[]) => void,
    signal: AbortSignal,
    { traceparent: parent }: Span,
  ): Promise<Outcome> {
    if (run.cancel_requested) return cancelled(NOT_EXECUTED)
    const document = await readSkillMd(engine, deployment, run.input)
    if (document !== null) {
      return { status: 'succeeded', reason: null, error: null, output: JSON.stringify(document), ...NOT_EXECUTED }
    }
    const secrets = await handOut({ audit: engine.audit, resolve, onError }, run, deployment)
    if (typeof secrets === 'string') {
      return failed('secret_unavailable', { type: 'SecretUnavailable', message: secrets }, NOT_EXECUTED)
    }
    const { network, unreachable } = networkOf(secrets.connections, deployment.config.network)
    if (unreachable.length > 0) onLog(unreachable.map((text) => ({ at: now(), stream: 'system', text })))
    const began = performance.now()
    let lease: Awaited<ReturnType<SessionPool['acquire']>>
    try {
      lease = await tracing.span('sandbox.acquire', { parent }, () =>
        pool.acquire(deployment, { variant: secrets.variant, network, signal }),
      )
    } catch (error) {
      if (signal.aborted) return cancelled(NOT_EXECUTED)
      if (!(error instanceof SandboxError)) throw error
      return failed('sandbox_error', { type: 'SandboxError', message: `${error.message} ${error.fix}` }, NOT_EXECUTED)
    }
    const ready = performance.now()
    try {
      const result = await tracing.span(
        'sandbox.invoke',
        { parent, attributes: { 'skillet.warm': lease.warm } },
        (span) => lease.session.invoke(callOf(run, deployment, secrets, span.traceparent), onLog, signal),
      )
      // Rounded once, so that what is billed is what is shown.
      const execution = round(performance.now() - ready)
      const session = { session: lease.session.id, warm: lease.warm, start_ms: round(ready - began) }
      // A session may end, or refuse, before the skill has begun: then there is nothing to measure and nothing to bill.
      const executed = result.usage.wall_ms > 0
      const facts = executed
        ? {
            ...session,
            execution_ms: execution,
            usage: result.usage,
            billable_ms: Math.ceil(execution),
            throttle: null,
          }
        : { ...NOT_EXECUTED, ...session }
      return await judge(deployment, result, facts, secrets)
    } finally {
      // Not waited for: cleaning up, or making the next spare, is not this run's time. It never rejects.
      void lease.release()
    }
  }

  async function judge(
    deployment: Deployment,
    result: CallResult,
    facts: Facts,
    { redactor }: RunSecrets,
  ): Promise<Outcome> {
    if (result.status === 'cancelled') return cancelled(facts)
    if (result.status === 'failed') return failed(result.reason, result.error, facts)
    const { output_schema: schema, tenant } = deployment
    if (schema !== null) {
      const message = await outputComplaint(schemas, { output: result.output, schema, tenant }, redactor)
      if (message !== null) return failed('output_invalid', { type: 'OutputInvalid', message }, facts)
    }
    return { status: 'succeeded', reason: null, error: null, output: result.output, ...facts }
  }
}

type Facts = Pick<Ending, 'session' | 'warm' | 'start_ms' | 'execution_ms' | 'usage' | 'billable_ms' | 'throttle'>

function callOf(run: Claim['run'], deployment: Deployment, secrets: RunSecrets, traceparent: string | undefined): Call {
  const timeout = deployment.config.timeout_s * 1000
  return {
    run: {
      id: run.id,
      skill: run.skill,
      stage: run.stage,
      version: run.version,
      attempt: run.attempt,
      deadline: now(Date.now() + timeout),
      traceparent,
    },
    input: run.input,
    env: deployment.config.env,
    secrets: secrets.env,
    connections: secrets.connections,
    redactor: secrets.redactor,
    timeout_ms: timeout,
  }
}

function cancelled(facts: Facts): Outcome {
  return { status: 'cancelled', reason: null, error: null, output: null, ...facts }
}

function failed(reason: FailureReason, error: NonNullable<Ending['error']>, facts: Facts): Outcome {
  return { status: 'failed', reason, error, output: null, ...facts }
}

function interruption(signal: AbortSignal): Interruption | null {
  return signal.aborted ? (signal.reason as Interruption) : null
}

const round = (ms: number): number => Math.round(ms * 100) / 100
