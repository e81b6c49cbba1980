import { now } from '../../model/json.ts'
import type { LogLine, NewRunEvent, Run } from '../../model/runs.ts'
import type { EndedRun } from '../run-ports.ts'
import type { Transaction } from './database.ts'
import type { Watchers } from './watchers.ts'

/** Larger results, in characters of JSON, are left out of the `result` event: the run itself has them. */
const OUTPUT_IN_EVENT = 16 * 1024

/** Writes them down and tells who follows the run, and its tenant. @param last The run's event number after these; its row is held by this transaction. @param ended With the `result` event. */
export async function writeEvents(
  t: Transaction,
  watchers: Watchers,
  run: Pick<Run, 'id' | 'tenant'>,
  last: number,
  events: readonly (NewRunEvent & { readonly at?: string })[],
  at: string = now(),
  ended: EndedRun | null = null,
): Promise<void> {
  const first = last - events.length + 1
  await t.query(
    `INSERT INTO events (tenant, run, seq, type, at, data) VALUES ${events.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
    ...events.flatMap(({ type, data, at: own }, i) => [
      run.tenant,
      run.id,
      first + i,
      type,
      own ?? at,
      JSON.stringify(data),
    ]),
  )
  watchers.runChanged(t, run.id, ended)
  // Logs are in the stream of the run only.
  if (events.some(({ type }) => type !== 'log')) watchers.tenantChanged(t, run.tenant)
}

export const logEvent = (lines: readonly LogLine[]): NewRunEvent => ({ type: 'log', data: { lines } })

/** The last event of a run. @param output JSON text. */
export function resultEvent(run: Omit<Run, 'input' | 'output'>, output: string | null): NewRunEvent {
  const large = output !== null && output.length > OUTPUT_IN_EVENT
  return {
    type: 'result',
    data: {
      status: run.status,
      reason: run.reason,
      error: run.error,
      attempt: run.attempt,
      session: run.session,
      warm: run.warm,
      queue_ms: run.queue_ms,
      start_ms: run.start_ms,
      execution_ms: run.execution_ms,
      usage: run.usage,
      billable_ms: run.billable_ms,
      throttle: run.throttle,
      finished_at: run.finished_at,
      ...(large ? { output_truncated: true } : { output: output === null ? null : (JSON.parse(output) as unknown) }),
    },
  }
}
