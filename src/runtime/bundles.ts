import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs } from '../backends/ports.ts'
import { createThreadPool } from '../threads/thread-pool.ts'
import { workerUrl } from '../threads/worker-url.ts'

export interface BundleCache {
  /** Host folder with the unpacked bundle; it is read-only by agreement and never changes. @throws when there is no such blob or it is no bundle. */
  ensure(bundleBlob: string, signal?: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** How long unpacking may take, in milliseconds. */
const UNPACK_MS = 120_000

/**
 * Unpacked bundles by the SHA-256 of their tar. The tar comes out of a sandbox in which strangers' code may have run, so a thread reads
 * it strictly: regular files and folders, below the target, nothing else.
 * @param parts.folder Seen by sandboxes. What a killed server left half unpacked is swept.
 */
export function createBundleCache(parts: { folder: string; blobs: Pick<Blobs, 'localPath'> }): BundleCache {
  const { folder, blobs } = parts
  const threads = createThreadPool({ url: workerUrl(import.meta.url, './unpack-bundle-worker'), size: 1 })
  const underWay = new Map<string, Promise<string>>()
  const swept = sweep(folder)

  async function unpack(blob: string): Promise<string> {
    const target = join(folder, blob)
    await swept
    if (await exists(target)) return target
    const partial = join(folder, `${PARTIAL}${blob}`)
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { mode: 0o755 })
    try {
      await threads.call({ archive: await blobs.localPath(blob), target: partial }, { timeoutMs: UNPACK_MS })
      await rename(partial, target)
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
    return target
  }

  return {
    async ensure(blob, signal) {
      signal?.throwIfAborted()
      const started = underWay.get(blob)
      if (started !== undefined) return started
      // Not aborted with its first caller: others may have come to wait for it.
      const work = unpack(blob).finally(() => underWay.delete(blob))
      underWay.set(blob, work)
      return work
    },
    close: () => threads.close(),
  }
}

const PARTIAL = 'partial-'

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(PARTIAL)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
