import { jsonValue } from '../../model/written-json.ts'
import type { Run, RunEvent } from '../../model/runs.ts'
import type { Stage, Upload } from '../../model/skills.ts'

/** Rows as the database gives them and the nouns they stand for. */

export interface StageRow extends Omit<Stage, 'config' | 'paused'> {
  readonly config: string
  readonly paused: number
}

export function toStage(row: StageRow): Stage {
  return { ...row, config: JSON.parse(row.config) as Stage['config'], paused: row.paused === 1 }
}

export interface UploadRow extends Omit<Upload, 'findings'> {
  readonly findings: string
}

export function toUpload(row: UploadRow): Upload {
  // Findings that were written before columns were known have none.
  const findings = (JSON.parse(row.findings) as Upload['findings']).map((one) => ({
    ...one,
    column: one.column ?? null,
  }))
  return { ...row, findings }
}

export interface RunRow extends Omit<
  Run,
  'error' | 'input' | 'output' | 'cancel_requested' | 'dead_letter' | 'warm' | 'usage' | 'throttle'
> {
  readonly error: string | null
  readonly cancel_requested: number
  readonly dead_letter: number
  readonly warm: number | null
  readonly usage: string | null
  readonly throttle: string | null
  /** Number of the last event. */
  readonly seq: number
  /** Whether it is in the quota. */
  readonly counted: number
  /** How often it was tried again after it failed; not after its worker was lost. */
  readonly retries: number
}

/**
 * Field by field: it is done several times for every run, and copying objects costs more.
 * @param payloads JSON texts; null where there is none or it was not read.
 */
export function toRun(row: RunRow, payloads: { input: string | null; output: string | null } = NO_PAYLOADS): Run {
  return {
    id: row.id,
    tenant: row.tenant,
    skill: row.skill,
    stage: row.stage,
    deployment: row.deployment,
    version: row.version,
    status: row.status,
    reason: row.reason,
    error: parse(row.error) as Run['error'],
    // As it was written here: whoever hands it on needs not write it again.
    input: payloads.input === null ? null : jsonValue(payloads.input),
    output: parse(payloads.output),
    attempt: row.attempt,
    cancel_requested: row.cancel_requested === 1,
    replay_of: row.replay_of,
    scheduled_for: row.scheduled_for,
    dead_letter: row.dead_letter === 1,
    created_by: row.created_by,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
    session: row.session,
    warm: row.warm === null ? null : row.warm === 1,
    queue_ms: row.queue_ms,
    start_ms: row.start_ms,
    execution_ms: row.execution_ms,
    usage: parse(row.usage) as Run['usage'],
    billable_ms: row.billable_ms,
    throttle: parse(row.throttle) as Run['throttle'],
  }
}

const NO_PAYLOADS = { input: null, output: null }

/** Of an event of a run. */
export interface EventRow extends Omit<RunEvent, 'data'> {
  readonly data: string
}

export function toEvent(row: EventRow): RunEvent {
  return { ...row, data: JSON.parse(row.data) as unknown }
}

export const bit = (value: boolean | null): number | null => (value === null ? null : Number(value))
export const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

function parse(text: string | null): unknown {
  return text === null ? null : JSON.parse(text)
}
