import { setTimeout as pause } from 'node:timers/promises'
import { type EventSourceMessage, createParser } from 'eventsource-parser'
import { problemError, unreachable } from './http.ts'

/** How often in a row a broken connection is tried again, and how long before the first time; each later wait doubles up to ten seconds. */
const TRIES = 8
const FIRST_WAIT_MS = 250

/**
 * Server-sent events without a gap or a repeat: a connection that breaks, or ends, is made again with Last-Event-ID, until the server says
 * that nothing will come any more, or whoever reads stops.
 * @throws CliError when the server refuses, or stays away
 */
export async function* readEventStream(
  url: URL,
  key: string,
  signal?: AbortSignal,
): AsyncGenerator<EventSourceMessage, void> {
  let seen: string | undefined
  let over = false
  const ended = (): void => void (over = true)
  for (let failures = 0; ;) {
    try {
      for await (const event of connect(url, key, seen, ended, signal)) {
        failures = 0
        seen = event.id
        yield event
      }
    } catch (error) {
      if (signal?.aborted === true || !isBroken(error)) throw error
      if (failures >= TRIES) throw unreachable(url.href, error)
    }
    if (over) return
    // Also after a stream that ended in good order but early, as a server that stops ends it.
    if (failures++ >= TRIES) throw unreachable(url.href, new Error('It ends the stream of events again and again.'))
    await pause(Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), 10_000), undefined, signal ? { signal } : {})
  }
}

async function* connect(
  url: URL,
  key: string,
  after: string | undefined,
  ended: () => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage, void> {
  const response = await fetch(url, {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${key}`,
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
    signal: signal ?? null,
  })
  // There is nothing after what was seen, and nothing will come.
  if (response.status === 204) {
    ended()
    return
  }
  // 503: it is starting or stopping, which passes.
  if (response.status === 503) throw new TypeError('The server is not ready.')
  if (!response.ok || response.body === null)
    throw problemError(response.status, await response.json().catch(() => null))
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => arrived.push(message) })
  const decoder = new TextDecoder()
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* arrived.splice(0)
  }
}

/** `fetch` reports every fault of the network as a TypeError. */
const isBroken = (error: unknown): boolean => error instanceof TypeError
