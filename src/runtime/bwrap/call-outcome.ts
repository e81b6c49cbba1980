import { constants } from 'node:os'
import { EXCESS, excessOf } from '../../model/json-shape.ts'
import { turnFor } from '../../model/written-json.ts'
import type { FailureReason, RunError, Usage } from '../../model/runs.ts'
import type { CallResult, Redactor } from '../driver.ts'
import { MAX_DEPTH, jsonProblem } from './json-text.ts'
import type { LimitGroup, Limits } from './limits.ts'
import type { HostMessage, ProtocolFault } from './protocol.ts'

export type Used = ReturnType<LimitGroup['end']>

/** How one call ended, as far as the sandbox's pipes and processes tell. */
export type Outcome =
  | { readonly kind: 'message'; readonly message: Exclude<HostMessage, { type: 'ready' }> }
  /** The sandbox is gone. */
  | { readonly kind: 'gone'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'timeout'; readonly ms: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'fault'; readonly reason: FailureReason; readonly error: RunError }

/** The answer to the caller. What was killed for memory is that, whatever else was seen of it. */
export async function callResult(
  outcome: Outcome,
  used: Used | null,
  wall: number,
  limits: { readonly strength: Limits['strength']; readonly exceeded: () => boolean },
): Promise<CallResult> {
  const usage: Usage = {
    wall_ms: round(wall),
    cpu_ms: used?.cpu_ms == null ? null : round(used.cpu_ms),
    peak_memory_bytes: used?.peak_memory_bytes ?? null,
    limits: limits.strength,
  }
  if (outcome.kind === 'cancelled') return { status: 'cancelled', usage }
  // A call that never began has used nothing: that the session ended for memory before is not its failure.
  if (used !== null && (used.oom || limits.exceeded())) {
    const message = 'The run needed more memory than its size allows and was stopped.'
    return { status: 'failed', reason: 'memory_limit', error: { type: 'MemoryLimit', message }, usage }
  }
  const told = await tell(outcome)
  return typeof told === 'string' ? { status: 'succeeded', output: told, usage } : { status: 'failed', ...told, usage }
}

/** Takes secrets out of what the skill says of its failure. Texts that long were cut, perhaps in the middle of one. */
export function withoutSecrets(result: CallResult, redactor: Redactor | null): CallResult {
  if (result.status !== 'failed' || redactor === null) return result
  const clean = (text: string): string =>
    text.length >= CUT_CHARS ? redactor.redactPiece(text) : redactor.redact(text)
  const { type, message, stack } = result.error
  return {
    ...result,
    error: { type: clean(type), message: clean(message), ...(stack === undefined ? {} : { stack: clean(stack) }) },
  }
}

/** The shortest length at which hosts cut a text. */
const CUT_CHARS = 200

export function failure(reason: FailureReason, type: string, message: string): Outcome {
  return { kind: 'fault', reason, error: { type, message } }
}

export function faulty(fault: ProtocolFault): Outcome {
  return failure('sandbox_error', 'ProtocolFault', `The sandbox did not keep to the protocol: ${fault.message}`)
}

/** The session ended between two runs. */
export function lateEnd(): Outcome {
  return failure('sandbox_error', 'SessionEnded', 'The session ended before it took the run.')
}

type Failure = { readonly reason: FailureReason; readonly error: RunError }

async function tell(outcome: Exclude<Outcome, { kind: 'cancelled' }>): Promise<string | Failure> {
  if (outcome.kind === 'message') return await said(outcome.message)
  if (outcome.kind === 'gone') return noResult(ending(outcome.code, outcome.signal))
  if (outcome.kind === 'fault') return { reason: outcome.reason, error: outcome.error }
  const message = `The run took longer than ${outcome.ms} ms and was stopped.`
  return { reason: 'timeout', error: { type: 'Timeout', message } }
}

async function said(message: Exclude<HostMessage, { type: 'ready' }>): Promise<string | Failure> {
  if (message.type === 'error') return { reason: message.reason, error: message.error }
  if (message.type === 'ended') {
    return noResult(message.signal === null ? `with exit code ${message.code}` : `by ${signalName(message.signal)}`)
  }
  const problem = await jsonProblem(message.body)
  if (problem !== null) return invalid(`The result is not usable JSON: ${problem}.`)
  const text = message.body.toString('utf8')
  await turnFor(text)
  // Whoever asks for the run gets the result, and it is built for each of them.
  const excess = excessOf(text, MAX_DEPTH)
  return excess === null ? text : invalid(`The result ${EXCESS[excess]}.`)
}

function invalid(message: string): Failure {
  return { reason: 'output_invalid', error: { type: 'OutputInvalid', message } }
}

function noResult(how: string): Failure {
  return {
    reason: 'runtime_error',
    error: { type: 'NoResult', message: `The skill ended ${how} before it gave a result.` },
  }
}

/** bubblewrap passes on the exit code, or 128 and the number of the signal. */
function ending(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `by ${signal}`
  return code !== null && code > 128 && code <= 192 ? `by ${signalName(code - 128)}` : `with exit code ${code}`
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000
