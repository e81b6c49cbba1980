import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import yazl from 'yazl'
import type { Services } from '../http/services.ts'
import { LIMITS } from '../model/sizes.ts'

/** Writes a zip into the blobs while its files arrive. */
export interface ZipWriter {
  /** Ends when the content was read to its end. */
  add(path: string, content: Readable): Promise<void>
  end(): Promise<{ sha256: string; size: number }>
  /** What was written is given up, unless it was ended. May be called twice. */
  discard(): Promise<void>
}

/** Not compressed: it is unpacked at once, and only kept. Plain files of no time. */
const PLAIN = { compress: false, mtime: new Date(1980, 0, 1), mode: 0o100644 }

export function createZipWriter(blobs: Services['blobs'], signal: AbortSignal): ZipWriter {
  const zip = new yazl.ZipFile()
  const output = zip.outputStream as Readable
  let kept: Promise<{ sha256: string; size: number }> | null = null

  /** Begun with the first file: most uploads that are a zip already need none. */
  function begin(): Promise<unknown> {
    if (kept === null) {
      zip.on('error', (error: Error) => output.destroy(error))
      // Whoever reads it hears of what is wrong, and may have stopped reading.
      output.on('error', () => {})
      kept = blobs.put(output, { maxBytes: LIMITS.packageBytes, signal })
      kept.catch(() => output.destroy())
    }
    return kept
  }

  return {
    async add(path, content) {
      const written = begin()
      const read = finished(content, { writable: false })
      zip.addReadStream(content, path, PLAIN)
      // Where nothing can be written any more, nothing is read, either.
      await Promise.race([read, written])
    },
    async end() {
      void begin()
      zip.end()
      return kept!
    },
    async discard() {
      if (kept === null) return
      if (!output.readableEnded) output.destroy(new Error('The files were not taken.'))
      await kept.catch(() => {})
    },
  }
}
