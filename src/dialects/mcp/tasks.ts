import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Operation } from '../../access/permissions.ts'
import type { Services } from '../../http/services.ts'
import { SkilletError } from '../../model/errors.ts'
import { type FailureReason, type Run, isTerminal } from '../../model/runs.ts'
import { invalid, told } from './rpc-error.ts'
import { resultOf } from './tool-result.ts'
import type { Visit } from './visit.ts'

/** The extension for calls that take longer: the answer is a handle, and the result is asked for later. */
export const TASKS = 'io.modelcontextprotocol/tasks'

/** How often clients are asked to look, in milliseconds. */
const POLL_MS = 1000
const DAY_MS = 86_400_000

/** A run as a task: its id is the run's, so whatever knows the one can look at the other, after a restart too. */
// oxlint-disable-next-line typescript/consistent-type-definitions -- results may have more members, which interfaces never allow
export type Task = {
  readonly taskId: string
  readonly status: 'working' | 'completed' | 'failed' | 'cancelled'
  readonly statusMessage: string
  readonly createdAt: string
  readonly lastUpdatedAt: string
  /** How long runs are kept. */
  readonly ttlMs: number
  readonly pollIntervalMs: number
}

/** Whether the client of this request can take a task for an answer. */
export function takesTasks({ mcpReq }: ServerContext): boolean {
  // Checked by the official server; only its type says less than it could.
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined
  const capabilities = envelope?.[CLIENT_CAPABILITIES_META_KEY] as { extensions?: Record<string, unknown> } | undefined
  return capabilities?.extensions?.[TASKS] !== undefined
}

/** `tasks/get`, `tasks/update` and `tasks/cancel`. */
export function taskMethods(services: Pick<Services, 'runs' | 'tenants' | 'authorizer' | 'denials'>, visit: Visit) {
  const { runs, tenants } = services
  const { caller } = visit

  /** One that the caller may not see is told apart from one that is not there by nothing. */
  async function find(run: string, operation: Operation): Promise<Run> {
    const missing = invalid('There is no such task.')
    if (!/^run_[0-9A-Za-z]{1,40}$/.test(run)) throw missing
    try {
      await services.authorizer.authorize(caller, operation, { run })
    } catch (error) {
      if (!(error instanceof SkilletError)) throw error
      if (error.code !== 'not_found') {
        await services.denials.record(caller, { operation, ...visit.route, target: { run }, error })
      }
      throw missing
    }
    return runs.find(caller.tenant, run)
  }

  return {
    /** What the client gets instead of a result. */
    handle: async (run: Run): Promise<Task & { resultType: 'task' }> => ({
      resultType: 'task',
      ...taskOf(run, (await tenants.find(run.tenant)).retention_days),
    }),

    get: ({ taskId }: { taskId: string }, context: ServerContext) =>
      told(visit, async () => {
        requireTasks(context)
        const run = await find(taskId, 'runs.read')
        const task = taskOf(run, (await tenants.find(run.tenant)).retention_days)
        if (task.status === 'completed') return { ...task, result: resultOf(run) }
        if (task.status === 'failed') return { ...task, error: { code: -32_603, message: task.statusMessage } }
        return task
      }),

    /** Skills ask for nothing while they run: what is sent is no answer to anything, which is to be ignored. */
    update: ({ taskId }: { taskId: string }, context: ServerContext) =>
      told(visit, async () => {
        requireTasks(context)
        await find(taskId, 'runs.read')
        return {}
      }),

    cancel: ({ taskId }: { taskId: string }, context: ServerContext) =>
      told(visit, async () => {
        requireTasks(context)
        await find(taskId, 'runs.control')
        await runs.cancel(caller, taskId)
        return {}
      }),
  }
}

export const TaskParams = z.looseObject({ taskId: z.string() })

function requireTasks(context: ServerContext): void {
  if (takesTasks(context)) return
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } })
}

function taskOf(run: Run, retentionDays: number): Task {
  return {
    taskId: run.id,
    status: statusOf(run),
    statusMessage: messageOf(run),
    createdAt: run.created_at,
    lastUpdatedAt: run.finished_at ?? run.started_at ?? run.created_at,
    ttlMs: retentionDays * DAY_MS,
    pollIntervalMs: POLL_MS,
  }
}

/** How a run ends whose skill was ended before it could answer. */
const NO_RESULT = 'NoResult'

/** What the server failed at is no answer of the skill's; a skill that failed has answered. */
const OURS: ReadonlySet<FailureReason | null> = new Set<FailureReason>([
  'sandbox_error',
  'secret_unavailable',
  'worker_lost',
])

function statusOf({ status, reason, error }: Run): Task['status'] {
  if (!isTerminal(status)) return 'working'
  if (status === 'cancelled') return 'cancelled'
  return OURS.has(reason) || error?.type === NO_RESULT ? 'failed' : 'completed'
}

function messageOf({ status, reason, error }: Run): string {
  if (status !== 'failed') return `The run is ${status}.`
  return `The run failed (${reason ?? 'unknown'})${error === null ? '.' : `: ${error.message}`}`
}
