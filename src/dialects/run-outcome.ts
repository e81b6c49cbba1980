import type { SkilletError } from '../model/errors.ts'
import { type Run, isTerminal } from '../model/runs.ts'

/** What a model is told of a run. */
export interface ToolOutcome {
  readonly failed: boolean
  /** For the model: the result as JSON (a text as it is), or what went wrong and what to do about it. */
  readonly text: string
  /** The result itself; undefined where it failed. */
  readonly value: unknown
}

/** Of a run that is over, or that took longer than the caller waits. */
export function outcomeOf(run: Run): ToolOutcome {
  if (!isTerminal(run.status)) {
    return failed(`The run ${run.id} is still ${run.status}. It goes on; its result can be asked for by that id.`)
  }
  if (run.status === 'succeeded') return { failed: false, text: textOf(run.output), value: run.output }
  if (run.status === 'throttled') {
    const again = run.throttle?.resets_at ?? null
    return failed(`The quota is used up.${again === null ? '' : ` It begins anew at ${again}.`}`)
  }
  if (run.status === 'cancelled') return failed('The run was cancelled.')
  return failed(`The skill failed (${run.reason ?? 'unknown'})${run.error === null ? '.' : `: ${run.error.message}`}`)
}

/** Of a call that was refused: what is wrong with the input, place by place. */
export function refusalOf(error: SkilletError): ToolOutcome {
  const places = error.problems.map(({ pointer, message }) => `\n- ${pointer === '' ? '(input)' : pointer}: ${message}`)
  return failed(error.message + places.join(''))
}

const failed = (text: string): ToolOutcome => ({ failed: true, text, value: undefined })

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))
