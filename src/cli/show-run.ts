import type { LogLine, Run } from '../model/runs.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { StatusData } from './follow-run.ts'
import type { Paint } from './io.ts'
import { duration } from './table.ts'

/** Where the time of a run went, in one line. */
function timesText({ queue_ms, start_ms, execution_ms, warm }: Run): string {
  const kind = warm === null ? '' : warm ? ' (warm sandbox)' : ' (new sandbox)'
  return `queued ${duration(queue_ms)}, start ${duration(start_ms)}${kind}, execution ${duration(execution_ms)}`
}

/** How a run ended: its state, its times, and why it failed or was not executed. */
export function endText(run: Run, paint: Paint): string {
  if (run.throttle !== null) {
    const cap = run.throttle.cap.replaceAll('_', ' ')
    return `${paint('yellow', run.status)} (${cap})  ${paint('dim', `${run.id}  nothing was executed or billed`)}\n${run.error?.message ?? ''}\n`
  }
  const style = run.status === 'succeeded' ? 'green' : run.status === 'failed' ? 'red' : 'yellow'
  const reason = run.reason === null ? '' : ` (${run.reason})`
  const error = run.error === null ? '' : `\n${run.error.stack ?? `${run.error.type}: ${run.error.message}`}`
  return `${paint(style, run.status)}${reason}  ${paint('dim', `${run.id}  ${timesText(run)}`)}${error}\n`
}

export function logText({ at, stream, text }: LogLine, paint: Paint): string {
  const line = stream === 'stdout' ? text : paint(stream === 'stderr' ? 'yellow' : 'cyan', text)
  return `${paint('dim', at.slice(11, 23))} ${line}\n`
}

export const exitCodeOfRun = (run: Run): ExitCode => (run.status === 'succeeded' ? EXIT.ok : EXIT.failed)

/** Of a status that says that the run is tried again; else nothing. */
export function retryText({ reason, attempt, failure, error, retry_at }: StatusData, paint: Paint): string {
  if (reason !== 'retry') return ''
  const why = error === null || error === undefined ? '' : `: ${error.message}`
  return `${paint('yellow', `attempt ${attempt} failed`)} (${failure}${why})  ${paint('dim', `next one at ${retry_at}`)}\n`
}
