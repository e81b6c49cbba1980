import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { serveThread } from '../../threads/thread-worker.ts'

/** SHA-256 (hex) of a file, read in pieces. */
serveThread(({ file }: { file: string }): string => {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(256 * 1024)
  const fd = openSync(file, 'r')
  try {
    for (;;) {
      const length = readSync(fd, piece)
      if (length === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, length))
    }
  } finally {
    closeSync(fd)
  }
})
