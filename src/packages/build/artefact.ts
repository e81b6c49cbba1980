import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Blobs } from '../../backends/ports.ts'
import type { ToolSpec } from '../../runtime/driver.ts'

/** Where the bundle goes while it is made; one of `keep` and `drop` ends it. */
export interface BlobArtefact {
  readonly write: NonNullable<ToolSpec['artefact']>['write']
  readonly maxBytes: number
  /** The blob's SHA-256. @throws when nothing was written, or storage failed. */
  keep(): Promise<string>
  /** Keeps nothing. */
  drop(): Promise<void>
}

/** Streams what a sandbox writes into a blob, as fast as storage takes it; nothing is stored before the first byte. */
export function blobArtefact(blobs: Pick<Blobs, 'put'>, maxBytes: number): BlobArtefact {
  const stream = new PassThrough()
  // Whoever waits for `stored` hears of it; without a listener it would end the server.
  stream.on('error', () => {})
  let stored: Promise<{ sha256: string }> | null = null
  return {
    maxBytes,
    async write(chunk) {
      if (!stored) {
        stored = blobs.put(stream, { maxBytes })
        // Storage that gives up must not leave the writer waiting.
        stored.catch((error: Error) => stream.destroy(error))
      }
      // A copy: the sender may use its buffer again.
      if (!stream.write(Buffer.from(chunk))) await drained(stream)
      if (stream.destroyed) await stored
    },
    async keep() {
      if (!stored) throw new Error('The build said that it was complete, but wrote no bundle.')
      stream.end()
      return (await stored).sha256
    },
    async drop() {
      if (!stored) return
      stream.destroy(new Error('The build was not completed.'))
      // That it failed is what was asked for; why it did is no news.
      await Promise.allSettled([stored, finished(stream)])
    },
  }
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.once('drain', done).once('close', done)
    if (stream.destroyed) done()
  })
}
