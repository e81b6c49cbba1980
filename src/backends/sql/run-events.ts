import { now } from '../../model/json.ts'
import type { LogLine, NewRunEvent, Run } from '../../model/runs.ts'
import type { Transaction } from './database.ts'
import type { Watchers } from './watchers.ts'

/** Larger results, in characters of JSON, are left out of the `result` event: the run itself has them. */
const OUTPUT_IN_EVENT = 16 * 1024

/** Writes them down and tells who follows the run, and its tenant. @param last The run's event number after these; its row is held by this transaction. */
export async function writeEvents(
  t: Transaction,
  watchers: Watchers,
  run: Pick<Run, 'id' | 'tenant'>,
  last: number,
  events: readonly NewRunEvent[],
  at: string = now(),
): Promise<void> {
  let seq = last - events.length
  for (const { type, data } of events) {
    seq++
    await t.query(
      'INSERT INTO events (tenant, run, seq, type, at, data) VALUES (?, ?, ?, ?, ?, ?)',
      run.tenant,
      run.id,
      seq,
      type,
      at,
      JSON.stringify(data),
    )
  }
  watchers.runChanged(t, run.id, events.at(-1)?.type === 'result')
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
      ...Object.fromEntries(OUTCOME.map((name) => [name, run[name]])),
      ...(large ? { output_truncated: true } : { output: output === null ? null : (JSON.parse(output) as unknown) }),
    },
  }
}

/** What the last event says of the run, besides its output. */
const OUTCOME = [
  'status',
  'reason',
  'error',
  'attempt',
  'session',
  'warm',
  'queue_ms',
  'start_ms',
  'execution_ms',
  'usage',
  'billable_ms',
  'throttle',
  'finished_at',
] as const satisfies readonly (keyof Run)[]
