import { setTimeout as pause } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import type { Activity } from '../src/model/activity.ts'
import type { TorturedServer } from './server.ts'

export interface Reader {
  /** What came, in the order in which it came. */
  readonly seen: readonly Activity[]
  /** Resolves when the stream is open for the first time. */
  readonly open: Promise<void>
  close(): Promise<void>
}

/** Reads a stream of events for as long as it is wanted: whenever it breaks off, it is resumed after the last id that came. */
export function startReader(server: TorturedServer, path: string): Reader {
  const seen: Activity[] = []
  const abort = new AbortController()
  const opened = Promise.withResolvers<void>()
  let last: string | undefined

  async function read(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await once()
      } catch {
        // The server is gone: that is what resuming is for.
      }
      await pause(20)
    }
  }

  async function once(): Promise<void> {
    const answer = await fetch(new URL(path, await server.url), {
      headers: {
        authorization: `Bearer ${server.key()}`,
        ...(last === undefined ? {} : { 'last-event-id': last }),
      },
      signal: abort.signal,
    })
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel()
      return
    }
    const parser = createParser({
      onEvent({ id, data }) {
        if (id !== undefined) last = id
        const one = JSON.parse(data) as Activity
        if (one.type !== undefined && one.id !== undefined && one.at !== undefined) seen.push(one)
      },
    })
    const decoder = new TextDecoder()
    opened.resolve()
    for await (const chunk of answer.body) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
  }

  const reading = read()
  return {
    seen,
    open: opened.promise,
    async close() {
      abort.abort()
      await reading
    },
  }
}
