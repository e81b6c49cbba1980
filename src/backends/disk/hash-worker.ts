import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { serveThread } from '../../threads/thread-worker.ts'

const CHUNK = 2 ** 20

/** SHA-256 of a file, in hex. */
serveThread((path: string): string => {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(CHUNK)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const count = readSync(file, chunk, 0, CHUNK, null)
      if (count === 0) return hash.digest('hex')
      hash.update(chunk.subarray(0, count))
    }
  } finally {
    closeSync(file)
  }
})
