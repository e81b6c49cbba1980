import { now } from '../model/json.ts'
import { type Run, NOT_EXECUTED } from '../model/runs.ts'
import { SIZES, type QueueName } from '../model/sizes.ts'
import type { Deployment } from '../model/skills.ts'

/** The row of a run that has not begun. @param order.at Milliseconds since 1970. */
export function newRun(
  order: Pick<Run, 'id' | 'tenant' | 'skill' | 'stage' | 'input' | 'created_by'> & {
    /** Null: its stage serves nothing. */
    readonly deployment: Pick<Deployment, 'id' | 'version'> | null
    readonly at: number
    readonly replay_of?: string
    readonly scheduled_for?: string
  },
): Run {
  const { id, tenant, skill, stage, deployment, input, created_by, at, replay_of, scheduled_for } = order
  return {
    id,
    tenant,
    skill,
    stage,
    deployment: deployment?.id ?? null,
    version: deployment?.version ?? null,
    status: 'queued',
    reason: null,
    error: null,
    input,
    output: null,
    attempt: 0,
    cancel_requested: false,
    replay_of: replay_of ?? null,
    scheduled_for: scheduled_for ?? null,
    dead_letter: false,
    created_by,
    created_at: now(at),
    started_at: null,
    finished_at: null,
    queue_ms: null,
    ...NOT_EXECUTED,
  }
}

/** Long runs wait among themselves. */
export const queueOf = ({ config }: Deployment): QueueName => SIZES[config.size].queue
