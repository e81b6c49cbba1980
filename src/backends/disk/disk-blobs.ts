import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { access, chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SkilletError } from '../../model/errors.ts'
import { createThreadPool } from '../../threads/thread-pool.ts'
import { workerUrl } from '../../threads/worker-url.ts'
import { createKeyedLock } from '../keyed-lock.ts'
import type { Blobs } from '../ports.ts'
import type { BlobShelves } from '../upkeep-ports.ts'
import { syncFolder, writeIncoming } from './files.ts'
import { type Signer, createSigner, readSecret } from './signing.ts'

export interface DiskBlobs extends Blobs {
  readonly shelves: BlobShelves
  /** What an upload URL of this server was signed for. @throws SkilletError upload_tampered, upload_expired */
  verifyUpload(url: URL): ReturnType<Signer['verify']>
  /** May be called twice. */
  close(): Promise<void>
}

export interface DiskBlobsOptions {
  /** Made when missing; readable by its owner only. One process at a time, which the data folder's lock takes care of. */
  readonly folder: string
  /** Where the key that signs upload URLs is kept; made when missing. */
  readonly secretFile: string
  /** Where clients reach this server, asked for with each URL: the port may not be known before it listens. */
  readonly baseUrl: () => string
}

/** Blobs as files: `folder/ab/cdef…` by the digest. A file under its final name is whole and on the disk. */
export async function openDiskBlobs({ folder, secretFile, baseUrl }: DiskBlobsOptions): Promise<DiskBlobs> {
  const incoming = join(folder, 'incoming')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  // What a crash left half written is nobody's.
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { mode: 0o700 })
  const signer = createSigner(await readSecret(secretFile))
  // Hashing keeps a core busy: one thread, so that uploads in crowds leave the other cores alone.
  const hashers = createThreadPool({ url: workerUrl(import.meta.url, './hash-worker'), size: 1 })
  const shelves = new Set(await readdir(folder))
  const lock = createKeyedLock()

  function place(sha256: string): string {
    if (!DIGEST.test(sha256)) throw new Error(`"${sha256}" is not a SHA-256 in 64 hex digits.`)
    return join(folder, sha256.slice(0, 2), sha256.slice(2))
  }

  /** Moves a synced file to its final name and makes that name durable. */
  async function keep(file: string, sha256: string): Promise<void> {
    const shelf = dirname(place(sha256))
    if (!shelves.has(sha256.slice(0, 2))) {
      await mkdir(shelf, { recursive: true, mode: 0o700 })
      await syncFolder(folder)
      shelves.add(sha256.slice(0, 2))
    }
    await rename(file, place(sha256))
    await syncFolder(shelf)
  }

  return {
    async put(source, { maxBytes, size: expected, sha256: announced, signal }) {
      const file = join(incoming, randomUUID())
      try {
        const size = await writeIncoming(file, source, { maxBytes, size: expected, signal })
        const sha256 = await hashers.call<string>({ file }, { signal })
        if (announced !== undefined && sha256 !== announced) {
          throw new SkilletError(
            'upload_checksum_mismatch',
            `The body has the SHA-256 ${sha256}; ${announced} was announced.`,
          )
        }
        signal?.throwIfAborted()
        // A new file, and so of this moment, also where there was one of the same bytes: it is not swept before it is used.
        await lock(sha256, () => keep(file, sha256))
        return { sha256, size }
      } finally {
        await rm(file, { force: true })
      }
    },

    async read(sha256) {
      const stream = createReadStream(place(sha256))
      // So that a missing blob rejects here and is not an error of a stream that nobody reads yet.
      await once(stream, 'open')
      return stream
    },

    async localPath(sha256) {
      const path = place(sha256)
      await access(path)
      return path
    },

    async has(sha256) {
      return (await stat(place(sha256)).catch(ifMissing)) !== null
    },

    async delete(sha256) {
      await rm(place(sha256), { force: true })
    },

    shelves: {
      async *list() {
        for (const shelf of shelves) {
          const names = (await readdir(join(folder, shelf)).catch(ifMissing)) ?? []
          const digests = names.map((name) => shelf + name).filter((name) => DIGEST.test(name))
          for (let at = 0; at < digests.length; at += AT_ONCE) yield digests.slice(at, at + AT_ONCE)
        }
      },
      sweep: (sha256, before, isUnused) =>
        lock(sha256, async () => {
          const found = await stat(place(sha256)).catch(ifMissing)
          if (found === null || found.mtimeMs >= before || !(await isUnused())) return false
          await rm(place(sha256), { force: true })
          return true
        }),
    },

    uploadUrl(upload) {
      return {
        method: 'PUT',
        url: signer.sign(upload, baseUrl()).href,
        headers: { 'content-type': 'application/zip', 'content-length': String(upload.size) },
      }
    },

    verifyUpload: (url) => signer.verify(url),
    close: () => hashers.close(),
  }
}

const DIGEST = /^[0-9a-f]{64}$/

/** How many digests are listed at once. */
const AT_ONCE = 200

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}
