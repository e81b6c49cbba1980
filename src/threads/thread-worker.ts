import { type Transferable, isMarkedAsUntransferable, parentPort } from 'node:worker_threads'
import { type FromThread, toWire } from './wire.ts'

/**
 * The worker's side of a thread pool: call it once, at the end of the worker's entry file.
 * What the handler returns or throws goes back to the caller; a SkilletError arrives there as one.
 * @param handler Gets one message at a time and may be async. It may block: only its own thread waits, and the pool kills it when it takes too long.
 */
export function serveThread(handler: (message: never) => unknown): void {
  const port = parentPort
  if (port === null) throw new Error('serveThread was called outside a worker thread: start it with createThreadPool.')
  const say = (words: FromThread, transfer: Transferable[] = []): void => port.postMessage(words, transfer)
  port.on('message', (message) => {
    void answer(message as never)
  })
  say({ ready: true })

  async function answer(message: never): Promise<void> {
    try {
      const value = await handler(message)
      say({ value }, ownBuffer(value))
    } catch (error) {
      // Also what the result cannot be cloned for: the caller must hear of it.
      say({ error: toWire(error) })
    }
  }
}

/** A bare ArrayBuffer is handed over instead of copied: results such as files read into memory are large. */
function ownBuffer(value: unknown): Transferable[] {
  return value instanceof ArrayBuffer && !isMarkedAsUntransferable(value) ? [value] : []
}
