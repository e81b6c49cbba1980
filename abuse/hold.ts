import type { LogLine } from '../src/model/runs.ts'
import type { Call, CallResult, Session } from '../src/runtime/driver.ts'

/** A call that is still running. */
export interface Held {
  /** Its first line of output: it is at work. */
  readonly said: string
  /** Cancels it and waits for its end. */
  end(): Promise<CallResult>
}

/** Starts a call that goes on until it is ended, and answers when it has said something. @throws when it ended before that. */
export async function hold(session: Session, input: unknown): Promise<Held> {
  const ended = new AbortController()
  const { promise, resolve } = Promise.withResolvers<string>()
  const onLog = (lines: LogLine[]): void => {
    const own = lines.find(({ stream }) => stream !== 'system')
    if (own !== undefined) resolve(own.text)
  }
  const result = session.invoke({ ...CALL, input }, onLog, ended.signal)
  const said = await Promise.race([promise, result])
  if (typeof said !== 'string') throw new Error(`The call ended at once: ${JSON.stringify(said)}`)
  return {
    said,
    end() {
      ended.abort()
      return result
    },
  }
}

const CALL: Omit<Call, 'input'> = {
  run: { id: 'run_held', skill: 'held', stage: 'dev', version: '1.0.0', attempt: 1, deadline: '2100-01-01T00:00:00Z' },
  env: {},
  secrets: {},
  connections: {},
  redactor: null,
  timeout_ms: 300_000,
}
