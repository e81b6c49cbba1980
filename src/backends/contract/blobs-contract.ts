import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../model/errors.ts'
import type { Blobs } from '../ports.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function* inChunks(bytes: Uint8Array, size: number = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What every Blobs backend does alike. */
export function blobsContract(open: () => Promise<{ blobs: Blobs; close(): Promise<void> }>): void {
  describe('blobs', () => {
    let backend: Awaited<ReturnType<typeof open>>
    let blobs: Blobs
    beforeEach(async () => {
      backend = await open()
      blobs = backend.blobs
    })
    afterEach(() => backend.close())

    const refused = async (put: Promise<unknown>, code: ErrorCode, key: string): Promise<void> => {
      await expect(put).rejects.toMatchObject({ code })
      expect(await blobs.has(key)).toBe(false)
    }

    test('what was put can be read, as a stream and as a local file, and is named by its bytes', async () => {
      const bytes = randomBytes(123_456)
      const kept = await blobs.put(inChunks(bytes), { maxBytes: 200_000, size: bytes.length, sha256: sha256(bytes) })
      expect(kept).toEqual({ sha256: sha256(bytes), size: bytes.length })
      expect(await buffer(await blobs.read(kept.sha256))).toEqual(bytes)
      expect(await readFile(await blobs.localPath(kept.sha256))).toEqual(bytes)
    })

    test('the same bytes twice are one blob, also at once', async () => {
      const bytes = randomBytes(5000)
      const puts = await Promise.all([1, 2, 3].map((n) => blobs.put(inChunks(bytes, n * 100), { maxBytes: 5000 })))
      expect(new Set(puts.map((put) => put.sha256)).size).toBe(1)
      expect(await buffer(await blobs.read(sha256(bytes)))).toEqual(bytes)
    })

    test('nothing is kept of what is too large, too short, too long, something else, broken off or aborted', async () => {
      const bytes = randomBytes(5000)
      const key = sha256(bytes)
      await refused(blobs.put(inChunks(bytes), { maxBytes: 4999 }), 'upload_too_large', key)
      await refused(blobs.put(inChunks(bytes), { maxBytes: 9000, size: 5001 }), 'upload_size_mismatch', key)
      await refused(blobs.put(inChunks(bytes), { maxBytes: 9000, size: 4999 }), 'upload_size_mismatch', key)
      await refused(
        blobs.put(inChunks(bytes), { maxBytes: 9000, sha256: sha256(randomBytes(8)) }),
        'upload_checksum_mismatch',
        key,
      )
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes
        throw new Error('the client went away')
      }
      await expect(blobs.put(broken(), { maxBytes: 9000 })).rejects.toThrow('the client went away')
      const abort = AbortSignal.abort(new Error('stopped'))
      await expect(blobs.put(inChunks(bytes), { maxBytes: 9000, signal: abort })).rejects.toThrow('stopped')
      expect(await blobs.has(key)).toBe(false)
    })

    test('a deleted or unknown blob is not there', async () => {
      const { sha256: key } = await blobs.put(inChunks(randomBytes(10)), { maxBytes: 10 })
      await blobs.delete(key)
      await blobs.delete(key)
      expect(await blobs.has(key)).toBe(false)
      await expect(blobs.read(key)).rejects.toThrow()
      await expect(blobs.localPath(key)).rejects.toThrow()
    })

    test('a name that is no SHA-256 reaches no file', async () => {
      await expect(blobs.localPath('../../etc/passwd')).rejects.toThrow('is not a SHA-256')
      await expect(blobs.has('..')).rejects.toThrow('is not a SHA-256')
    })
  })
}
