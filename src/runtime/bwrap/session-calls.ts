import { randomUUID } from 'node:crypto'
import { jsonText, jsonWith } from '../../model/written-json.ts'
import type { LogLine } from '../../model/runs.ts'
import type { Call, CallResult, Session, SessionSpec } from '../driver.ts'
import { type Outcome, type Used, callResult, failure, faulty, lateEnd, withoutSecrets } from './call-outcome.ts'
import { certificateEnv } from './certificates.ts'
import { type DeniedNotes, createDeniedNotes } from './denied-notes.ts'
import { type HostLine, outputRead } from './host-line.ts'
import { createLogLines } from './log-lines.ts'
import { ProtocolFault, encodeFrame } from './protocol.ts'
import { stripReservedEnv, withoutReserved } from '../reserved-env.ts'
import type { Limits } from './limits.ts'
import type { Sandbox } from './sandbox.ts'
import { readScriptCall } from './script-call.ts'

/** Calls into one sandbox whose host is waiting for the first of them. */
export function createSession(
  spec: SessionSpec,
  sandbox: Sandbox,
  line: HostLine,
  limits: { readonly strength: Limits['strength']; readonly exceeded: () => boolean },
): Session {
  let state: 'idle' | 'running' | 'cleaning' | 'telling' | 'dead' = 'idle'
  let calls = 0
  let current: { readonly nonce: string; settle(outcome: Outcome): void } | null = null
  let last: string | null = null
  let used: Used | null = null
  let cleaned = Promise.withResolvers<void>()
  let cleaning: NodeJS.Timeout | null = null
  const { network } = sandbox
  let note: ((text: string) => void) | null = null
  let denied: DeniedNotes | null = null

  /** From here on it serves nobody; what the run has used is read before it is gone. */
  function die(): void {
    if (state === 'dead') return
    if (current !== null) used ??= sandbox.limits.end()
    state = 'dead'
    if (cleaning !== null) clearTimeout(cleaning)
    cleaned.resolve()
    // Whoever calls kill() is told when this fails.
    sandbox.stop().catch(() => undefined)
  }

  function fault(what: ProtocolFault): void {
    current?.settle(faulty(what))
    die()
  }

  function rest(): void {
    if (state !== 'telling') return
    state = 'idle'
    cleaned.resolve()
  }

  line.onMessage = (message) => {
    // Why it ended is known: what it says of itself after that is not asked for.
    if (state === 'dead') return
    if (message instanceof ProtocolFault) return fault(message)
    if (message.type === 'ready') {
      if (state !== 'cleaning') return fault(new ProtocolFault('It was ready while it was busy.'))
      if (message.after !== last) return fault(new ProtocolFault('It was ready after another run than its last one.'))
      if (cleaning !== null) clearTimeout(cleaning)
      state = 'telling'
      // What the last run's processes were refused until they ended is no matter of the next one.
      if (network === null) rest()
      else void network.told().then(rest)
      return
    }
    if (state !== 'running' || current === null) return fault(new ProtocolFault('It sent more than one result.'))
    if (message.nonce !== current.nonce) {
      return fault(new ProtocolFault('It sent a result that belongs to another run.'))
    }
    state = 'cleaning'
    last = current.nonce
    cleaning = setTimeout(die, CLEANING_MS).unref()
    current.settle({ kind: 'message', message })
  }
  line.onGone = (how) => {
    current?.settle({ kind: 'gone', ...how })
    die()
  }
  // Something of the last run is still there and writes: what it would write next would be in another run's log.
  const late = (): void => die()
  line.onOutput = late
  if (network !== null) {
    network.onDenied = (attempt) => denied?.add(attempt)
    network.onLost = () => {
      note?.(LOST)
      if (current === null) die()
    }
  }

  async function invoke(call: Call, onLog: (lines: LogLine[]) => void, signal?: AbortSignal): Promise<CallResult> {
    if (current !== null) throw new Error(`Session ${spec.id} executes one run at a time.`)
    if (signal?.aborted) return callResult({ kind: 'cancelled' }, null, 0, limits)
    const input = spec.handler.kind === 'skill-md' ? readScriptCall(call.input, spec.handler.scripts) : call.input
    if (spec.handler.kind === 'skill-md' && typeof input === 'string') {
      return callResult(failure('runtime_error', 'ScriptRefused', input), null, 0, limits)
    }
    // It may be killed between the two.
    if (!(await idle()) || state !== 'idle') return callResult(lateEnd(), null, 0, limits)

    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const nonce = randomUUID().replaceAll('-', '')
    let outcome: Outcome | null = null
    // The first result counts, but a fault that comes before it was handed over spoils it.
    const settle = (next: Outcome): void => {
      if (outcome === null || next.kind === 'fault') outcome = next
      resolve(outcome)
    }
    const stop = (kind: 'timeout' | 'cancelled'): void => {
      settle(kind === 'timeout' ? { kind, ms: call.timeout_ms } : { kind })
      die()
    }
    const cancel = (): void => stop('cancelled')
    const log = createLogLines(onLog, call.redactor)
    note = log.note
    denied = createDeniedNotes(log.note)
    let heapFull = false
    current = { nonce, settle }
    state = 'running'
    calls++
    used = null
    cleaned = Promise.withResolvers()
    line.onOutput = (stream, chunk) => {
      log.write(stream, chunk)
      if (log.cut) line.slowDown(stream)
      if (spec.handler.kind === 'node' && stream === 'stderr') heapFull ||= chunk.includes(HEAP_FULL)
    }
    sandbox.limits.begin()
    const began = performance.now()
    const timer = setTimeout(() => stop('timeout'), call.timeout_ms)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const { run, env, secrets, connections, timeout_ms } = call
      const clean = {
        env: { ...(network === null ? {} : certificateEnv()), ...stripReservedEnv(env) },
        secrets: stripReservedEnv(secrets),
        connections: withoutReserved(connections),
      }
      line.send(
        encodeFrame({ type: 'run', nonce }, jsonWith({ run, ...clean, timeout_ms }, { input: jsonText(input) })),
      )
      await promise
      await outputRead()
      used ??= sandbox.limits.end()
      const wall = performance.now() - began
      await network?.told()
      denied.end()
      log.end()
      line.onOutput = late
      if (used.oom || used.lowered || limits.exceeded() || log.cut || network?.lost || line.muted) die()
      const result = await callResult(outcome!, { ...used, oom: used.oom || heapFull }, wall, limits)
      return withoutSecrets(result, call.redactor)
    } finally {
      current = null
      note = null
      denied = null
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
  }

  async function idle(): Promise<boolean> {
    if (state === 'running' || state === 'cleaning' || state === 'telling') await cleaned.promise
    return state === 'idle' && !network?.lost && !line.muted
  }

  return {
    id: spec.id,
    get usable() {
      return state !== 'dead' && !network?.lost && !line.muted
    },
    get calls() {
      return calls
    },
    invoke,
    idle,
    kill() {
      if (current !== null) current.settle({ kind: 'cancelled' })
      die()
      return sandbox.stop()
    },
  }
}

/** Longest time for cleaning up and importing ahead after a run, in milliseconds. */
const CLEANING_MS = 60_000
const LOST = 'network: the way out was lost; nothing is reached any more in this run'
/** What V8 says when the heap has no room, before it aborts. */
const HEAP_FULL = 'JavaScript heap out of memory'
