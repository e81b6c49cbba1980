import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, access, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { SkilletError } from '../../model/errors.ts'
import { createThreadPool } from '../../threads/thread-pool.ts'
import { workerUrl } from '../../threads/worker-url.ts'
import type { Blobs } from '../ports.ts'
import { type Signer, openSigner } from './signing.ts'

export interface DiskBlobs extends Blobs {
  /** For the route that takes the PUT. */
  readonly verifyUpload: Signer['verify']
  /** Ends the hashing thread. */
  close(): Promise<void>
}

export interface DiskBlobsOptions {
  readonly folder: string
  /** Where the key of the upload URLs is kept. */
  readonly secretFile: string
  /** This server's own address, asked for when a URL is made: it is known only after listening. */
  readonly baseUrl: () => string
}

/** Blobs as files named by their SHA-256, in one folder per first two digits. */
export async function openDiskBlobs({ folder, secretFile, baseUrl }: DiskBlobsOptions): Promise<DiskBlobs> {
  const incoming = join(folder, 'incoming')
  // What a killed server had not finished receiving was never acknowledged.
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  const signer = await openSigner(secretFile)
  const hashing = createThreadPool({ url: workerUrl(import.meta.url, './hash-worker'), size: 1 })

  const pathOf = (sha256: string): string => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`"${sha256}" is not a SHA-256 in hex.`)
    return join(folder, sha256.slice(0, 2), sha256.slice(2))
  }

  return {
    async put(source, { maxBytes, size, sha256, signal }) {
      const temporary = join(incoming, randomBytes(12).toString('hex'))
      try {
        const written = await receive(temporary, source, maxBytes, signal)
        if (size !== undefined && written !== size) {
          throw new SkilletError('upload_size_mismatch', `${size} bytes were announced, ${written} came.`)
        }
        const actual = await hashing.call<string>(temporary, { signal })
        if (sha256 !== undefined && actual !== sha256) {
          throw new SkilletError('upload_checksum_mismatch', `SHA-256 ${sha256} was announced, ${actual} came.`)
        }
        await keep(temporary, pathOf(actual))
        return { sha256: actual, size: written }
      } finally {
        await rm(temporary, { force: true })
      }
    },

    async read(sha256): Promise<Readable> {
      const file = await open(pathOf(sha256))
      return createReadStream('', { fd: file })
    },

    async localPath(sha256) {
      await access(pathOf(sha256))
      return pathOf(sha256)
    },

    async has(sha256) {
      try {
        await stat(pathOf(sha256))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
        throw error
      }
    },

    async delete(sha256) {
      await rm(pathOf(sha256), { force: true })
    },

    uploadUrl(upload) {
      return {
        method: 'PUT',
        url: new URL(signer.sign(upload), baseUrl()).href,
        headers: { 'content-type': 'application/zip', 'content-length': String(upload.size) },
      }
    },

    verifyUpload: signer.verify,
    close: () => hashing.close(),
  }
}

/** Streams to a synced file. @returns How many bytes came. */
async function receive(
  path: string,
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    let written = 0
    for await (const chunk of source) {
      signal?.throwIfAborted()
      written += chunk.length
      if (written > maxBytes) {
        throw new SkilletError('upload_too_large', `More than the ${maxBytes} bytes that are allowed came.`)
      }
      await writeAll(file, chunk)
    }
    await file.sync()
    return written
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten
}

/** Renames into place, and syncs the folders so that the name survives a power cut. */
async function keep(temporary: string, path: string): Promise<void> {
  const folder = dirname(path)
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  await rename(temporary, path)
  await syncFolder(folder)
  if (made !== undefined) await syncFolder(dirname(folder))
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
