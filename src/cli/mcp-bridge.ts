import { createInterface } from 'node:readline'
import { createParser } from 'eventsource-parser'
import { type Message, createMcpHeaders } from './mcp-headers.ts'

/** Where messages go. */
interface Target {
  readonly url: URL
  readonly key: string
}

/**
 * Speaks MCP with a client that started this process: every line that comes is sent to the server, every message that the server answers
 * with is a line that goes out. Ends when the input ends or the signal aborts; runs that are under way then are cancelled, what was only asked
 * is still answered when the input ends.
 * @param parts.target Asked for each message: a server that was started again may listen elsewhere. What it throws becomes the answer.
 */
export async function bridge(parts: {
  readonly input: NodeJS.ReadableStream
  readonly output: (line: string) => void
  readonly target: () => Target
  readonly signal: AbortSignal
}): Promise<void> {
  const { input, output, target, signal } = parts
  const headers = createMcpHeaders()
  const underWay = new Map<unknown, AbortController>()
  const lasting = new Set<AbortController>()
  const work = new Set<Promise<void>>()
  const say = (message: object): void => output(`${JSON.stringify(message)}\n`)
  const refuse = (id: unknown, code: number, text: string): void => {
    say({ jsonrpc: '2.0', id: id ?? null, error: { code, message: text } })
  }

  async function forward(message: Message, abort: AbortSignal): Promise<void> {
    const { url, key } = target()
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...headers.of(message),
      },
      body: JSON.stringify(message),
      signal: abort,
    })
    let answered = false
    const pass = (text: string): void => {
      const answer = JSON.parse(text) as { id?: unknown; result?: unknown; method?: unknown }
      if (answer.method === undefined) {
        answered = true
        headers.learn(message, answer.result)
      }
      // What could not be read far enough to have an id is still the answer to what was sent.
      if (answer.method !== undefined || message.id !== undefined) say({ ...answer, ...idOf(answer, message) })
    }
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
      const parser = createParser({ onEvent: ({ data }) => data !== '' && pass(data) })
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) parser.feed(text)
    } else {
      const text = await response.text()
      if (text !== '') pass(text)
    }
    if (!answered && message.id !== undefined) {
      refuse(message.id, -32_603, `The server ended with status ${response.status} before it had answered.`)
    }
  }

  async function handle(line: string): Promise<void> {
    let message: Message
    try {
      message = JSON.parse(line) as Message
    } catch {
      return refuse(null, -32_700, 'The line is no JSON.')
    }
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      return refuse(null, -32_600, 'Each line has to be one JSON-RPC message.')
    }
    const { id, method, params } = message
    if (method === 'notifications/cancelled') {
      // Over HTTP to hang up is to cancel.
      underWay.get((params as { requestId?: unknown } | undefined)?.requestId)?.abort()
      return
    }
    const controller = new AbortController()
    if (id !== undefined) underWay.set(id, controller)
    if (LASTING.has(String(method))) lasting.add(controller)
    try {
      await forward(message, AbortSignal.any([signal, controller.signal]))
    } catch (error) {
      const { message: what, cause } = error as Error
      const why = cause instanceof Error ? `${what}: ${cause.message}` : what
      if (!controller.signal.aborted && !signal.aborted && id !== undefined) refuse(id, -32_603, why)
    } finally {
      if (underWay.get(id) === controller) underWay.delete(id)
      lasting.delete(controller)
    }
  }

  const lines = createInterface({ input, signal, crlfDelay: Infinity })
  for await (const line of lines) {
    if (line.trim() === '') continue
    const one = handle(line).finally(() => work.delete(one))
    work.add(one)
  }
  for (const controller of lasting) controller.abort()
  await Promise.all(work)
}

/** What nobody waits for who has gone: it runs a skill, or never ends by itself. */
const LASTING: ReadonlySet<string> = new Set(['tools/call', 'subscriptions/listen'])

const idOf = (answer: { id?: unknown; method?: unknown }, { id }: Message): object =>
  answer.method === undefined && (answer.id === null || answer.id === undefined) ? { id } : {}
