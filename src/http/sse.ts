import { setTimeout as pause } from 'node:timers/promises'
import type { RunEvent } from '../model/runs.ts'

/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 1000

/**
 * Events of a run as `text/event-stream`: each with its number as id, so that `Last-Event-ID` resumes without a gap.
 * Ends with the events, with the client, or when aborted.
 * @param options.heartbeatMs A comment is sent when nothing else was for so long, to keep proxies from hanging up.
 */
export function eventStream(
  follow: (signal: AbortSignal) => AsyncIterable<RunEvent>,
  options: { signal: AbortSignal; heartbeatMs: number },
): ReadableStream<Uint8Array> {
  const left = new AbortController()
  const frames = framesOf(follow(AbortSignal.any([options.signal, left.signal])), options.heartbeatMs)
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await frames.next()
        if (done === true) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        left.abort()
        await frames.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* framesOf(events: AsyncIterable<RunEvent>, heartbeatMs: number): AsyncGenerator<string, undefined> {
  yield `retry: ${RETRY_MS}\n\n`
  const iterator = events[Symbol.asyncIterator]()
  let coming = iterator.next()
  try {
    for (;;) {
      const came = await orHeartbeat(coming, heartbeatMs)
      if (came === null) {
        yield ': heartbeat\n\n'
        continue
      }
      if (came.done === true) return
      coming = iterator.next()
      yield frame(came.value)
    }
  } finally {
    // What is still coming may fail after nobody listens any more.
    await Promise.allSettled([coming, iterator.return?.()])
  }
}

/** Null when nothing came in time. */
async function orHeartbeat<T>(coming: Promise<T>, ms: number): Promise<T | null> {
  const timer = new AbortController()
  const beat = pause(ms, null, { signal: timer.signal }).catch(() => null)
  try {
    return await Promise.race([coming, beat])
  } finally {
    timer.abort()
  }
}

/** JSON has no line breaks, so one `data` line holds it. */
function frame(event: RunEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
