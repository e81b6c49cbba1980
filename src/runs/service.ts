import type { Engine } from '../backends/ports.ts'
import type { RunFilter } from '../backends/run-ports.ts'
import type { Page } from '../model/page.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { isTerminal, type Run, type RunEvent } from '../model/runs.ts'
import { type Invocation, createAdmission } from './admission.ts'
import { type DeadLetters, createDeadLetters } from './dead-letters.ts'
import type { DeploymentCache } from './deployment-cache.ts'
import { awaitEnd, followEvents } from './follow.ts'
import { type RunQueues, createRunQueues } from './queues.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { RunWorker } from './worker.ts'

/** Everything a caller can do with runs. Who may do it was decided before. */
export interface RunsService {
  /**
   * Admits a run: durable when it resolves.
   * @throws SkilletError not_found, stage_not_active, input_invalid, input_too_large, idempotency_mismatch, enqueue_failed (data.run_id), isolation_unavailable
   */
  invoke(caller: Caller, invocation: Invocation): Promise<{ run: Run; repeated: boolean }>
  /** The run as it is when it is terminal, or when `ms` are over. */
  wait(run: Run, ms: number, signal?: AbortSignal): Promise<Run>
  /** Cancels in every state: queued at once, running by ending its sandbox; a terminal run stays as it was. */
  cancel(caller: Caller, id: string): Promise<Run>
  /** The same input to the same frozen deployment again, as a new run. A dead letter is none any more. */
  replay(caller: Caller, id: string): Promise<Run>
  find(tenant: string, id: string): Promise<Run>
  /** Without its input and output. */
  look(tenant: string, id: string): Promise<Run>
  list(tenant: string, filter: RunFilter): Promise<Page<Run>>
  /** Events after `afterSeq` as they happen; ends after the `result` event or when aborted. */
  events(tenant: string, id: string, afterSeq: number, signal?: AbortSignal): AsyncIterable<RunEvent>
  readonly deadLetters: DeadLetters
  readonly queues: RunQueues
}

export function createRunsService(parts: {
  engine: Engine
  schemas: SchemaValidator
  deployments: DeploymentCache
  requireIsolation: () => void
  /** Of this process: told of cancellations at once, and offers its free places. Workers elsewhere learn by heartbeats and hints. */
  worker: Pick<RunWorker, 'cancel' | 'offer'>
}): RunsService {
  const { engine, worker } = parts
  const admission = createAdmission(parts)

  async function find(tenant: string, id: string): Promise<Run> {
    const run = await engine.runs.find(tenant, id)
    if (run === null) throw notFound('run', id)
    return run
  }

  async function look(tenant: string, id: string): Promise<Run> {
    const run = await engine.runs.look(tenant, id)
    if (run === null) throw notFound('run', id)
    return run
  }

  return {
    invoke: admission.invoke,
    deadLetters: createDeadLetters({ engine, replay: admission.replay }),
    queues: createRunQueues(engine),
    find,
    look,
    list: (tenant, filter) => engine.runs.list(tenant, filter),

    async wait(admitted, ms, signal) {
      const run = await awaitEnd(engine, admitted, ms, signal)
      if (run === null) throw notFound('run', admitted.id)
      return run
    },

    async cancel(caller, id) {
      const run = await engine.runs.cancel(caller.tenant, id, noteOf(caller, 'run.cancel', { kind: 'run', id }))
      if (run === null) throw notFound('run', id)
      if (run.cancel_requested && !isTerminal(run.status)) worker.cancel(id)
      return run
    },

    async replay(caller, id) {
      const before = await find(caller.tenant, id)
      if (!isTerminal(before.status)) {
        throw new SkilletError('not_replayable', `Run ${id} is still ${before.status}.`)
      }
      return admission.replay(caller, before)
    },

    async *events(tenant, id, afterSeq, signal) {
      await find(tenant, id)
      yield* followEvents(engine, tenant, id, afterSeq, signal)
    },
  }
}
