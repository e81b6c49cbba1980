import { createHash, randomBytes } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Blobs } from '../ports.ts'

export interface OpenBlobs {
  readonly blobs: Blobs
  /** How many files, objects or rows there are, whole or half written. */
  count(): Promise<number>
  close(): Promise<void>
}

/** What every Blobs backend must do. */
export function blobsContract(backend: string, open: () => Promise<OpenBlobs>): void {
  describe(`blobs: ${backend}`, () => {
    let opened: OpenBlobs
    let blobs: Blobs
    beforeEach(async () => {
      opened = await open()
      blobs = opened.blobs
    })
    afterEach(() => opened.close())

    const put = (data: Uint8Array, options: Partial<Parameters<Blobs['put']>[1]> = {}) =>
      blobs.put(inChunks(data), { maxBytes: 10 * 2 ** 20, ...options })

    test('what was put can be read, by stream and as a file', async () => {
      const data = randomBytes(300_000)
      const kept = await put(data, { size: data.length, sha256: sha(data) })
      expect(kept).toEqual({ sha256: sha(data), size: data.length })
      expect(await blobs.has(kept.sha256)).toBe(true)
      expect((await buffer(await blobs.read(kept.sha256))).equals(data)).toBe(true)
      expect((await readFile(await blobs.localPath(kept.sha256))).equals(data)).toBe(true)
    })

    test('an empty blob is one too', async () => {
      const { sha256, size } = await put(new Uint8Array(0))
      expect(size).toBe(0)
      expect((await buffer(await blobs.read(sha256))).length).toBe(0)
    })

    test('the same bytes twice, at once and again, are one blob', async () => {
      const data = randomBytes(1000)
      const puts = await Promise.all([put(data), put(data), put(data)])
      await put(data)
      expect(new Set(puts.map(({ sha256 }) => sha256)).size).toBe(1)
      expect(await opened.count()).toBe(1)
    })

    test('what is longer, shorter or other than announced is refused, and nothing is kept', async () => {
      const data = randomBytes(100_000)
      await expect(put(data, { maxBytes: 99_999 })).rejects.toMatchObject({ code: 'upload_too_large' })
      await expect(put(data, { size: 99_999 })).rejects.toMatchObject({ code: 'upload_size_mismatch' })
      await expect(put(data, { size: 100_001 })).rejects.toMatchObject({ code: 'upload_size_mismatch' })
      const other = sha(randomBytes(3))
      await expect(put(data, { sha256: other })).rejects.toMatchObject({ code: 'upload_checksum_mismatch' })
      expect(await blobs.has(sha(data))).toBe(false)
      expect(await blobs.has(other)).toBe(false)
      expect(await opened.count()).toBe(0)
    })

    test('too much is not read to its end', async () => {
      let given = 0
      const endless = async function* (): AsyncGenerator<Uint8Array> {
        for (;;) {
          given++
          yield new Uint8Array(1000)
        }
      }
      await expect(blobs.put(endless(), { maxBytes: 5000 })).rejects.toMatchObject({ code: 'upload_too_large' })
      expect(given).toBe(6)
      expect(await opened.count()).toBe(0)
    })

    test('a source that fails, and one that hangs and is aborted, leave nothing', async () => {
      await expect(blobs.put(failing(), { maxBytes: 5000 })).rejects.toThrow('the client went away')
      const abort = new AbortController()
      const started = Promise.withResolvers<void>()
      const hanging = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(1000)
        started.resolve()
        await new Promise(() => {})
      }
      const putting = blobs.put(hanging(), { maxBytes: 5000, signal: abort.signal })
      await started.promise
      abort.abort(new Error('enough'))
      await expect(putting).rejects.toThrow('enough')
      await expect(put(randomBytes(10), { signal: abort.signal })).rejects.toThrow('enough')
      expect(await opened.count()).toBe(0)
    })

    test('what is not there cannot be read, and deleting is done once and for all', async () => {
      const { sha256 } = await put(randomBytes(10))
      const path = await blobs.localPath(sha256)
      await blobs.delete(sha256)
      await blobs.delete(sha256)
      expect(await blobs.has(sha256)).toBe(false)
      await expect(blobs.read(sha256)).rejects.toThrow()
      await expect(blobs.localPath(sha256)).rejects.toThrow()
      await expect(access(path)).rejects.toThrow()
    })

    test('a name that is no digest never reaches the storage', async () => {
      for (const name of ['', 'x', '../../etc/passwd', `${'a'.repeat(63)}/`, 'A'.repeat(64)]) {
        await expect(blobs.read(name)).rejects.toThrow(/64 hex digits/)
        await expect(blobs.delete(name)).rejects.toThrow(/64 hex digits/)
      }
    })

    test('an upload URL is for a PUT of exactly that many bytes', () => {
      const target = blobs.uploadUrl({
        id: 'upl_1',
        size: 123,
        sha256: 'a'.repeat(64),
        expires_at: '2026-11-21T08:00:00.000Z',
      })
      expect(target).toMatchObject({
        method: 'PUT',
        headers: { 'content-type': 'application/zip', 'content-length': '123' },
      })
      expect(new URL(target.url).pathname).toContain('upl_1')
    })
  })
}

const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

async function* inChunks(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += 64 * 1024) yield data.subarray(at, at + 64 * 1024)
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1000)
  throw new Error('the client went away')
}
