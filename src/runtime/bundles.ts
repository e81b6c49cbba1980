import type { Blobs } from '../backends/ports.ts'
import { LIMITS } from '../model/sizes.ts'
import { createThreadPool } from '../threads/thread-pool.ts'
import { workerUrl } from '../threads/worker-url.ts'
import { createBundleFolder } from './bundle-folder.ts'

/** An unpacked bundle, which stays where it is until it is released. */
export interface BundleUse {
  /** Host folder with what is in it; it is read-only by agreement and never changes. */
  readonly folder: string
  /** May be called twice. */
  release(): void
}

export interface BundleCache {
  /** @throws when there is no such blob or it is no bundle. */
  ensure(bundleBlob: string, signal?: AbortSignal): Promise<BundleUse>
  /** Removes what nobody uses and was not used for long, and the least recently used of what is too much. Done by itself from time to time. */
  sweep(): Promise<void>
  /** May be called twice. */
  close(): Promise<void>
}

export interface BundleCacheParts {
  /** Seen by sandboxes. */
  readonly folder: string
  readonly blobs: Pick<Blobs, 'localPath'>
  readonly onError: (error: unknown, doing: string) => void
  /** Writes what is in the archive to the target, a folder to be made; gives its bytes. Default: a bundle's tar, read strictly on a thread. */
  readonly unpack?: (archive: string, target: string) => Promise<number>
  /** What all bundles together may take, in bytes; those in use stay even so. Default: LIMITS.bundleCacheBytes. */
  readonly maxBytes?: number
  /** How long one stays that nobody uses, in milliseconds. Default 24 hours. */
  readonly unusedMs?: number
  /** From one sweep to the next, in milliseconds. Default: an hour. */
  readonly everyMs?: number
}

/** How long unpacking may take, in milliseconds. */
const UNPACK_MS = 120_000
const HOUR_MS = 3_600_000

/**
 * Unpacked bundles by the SHA-256 of their tar. The tar comes out of a sandbox in which strangers' code may have run, so a thread reads
 * it strictly: regular files and folders, below the target, nothing else. It sweeps when it is opened.
 */
export async function openBundleCache(parts: BundleCacheParts): Promise<BundleCache> {
  const { blobs, onError, maxBytes = LIMITS.bundleCacheBytes, unusedMs = 24 * HOUR_MS, everyMs = HOUR_MS } = parts
  const threads = createThreadPool({ url: workerUrl(import.meta.url, './unpack-bundle-worker'), size: 1 })
  const { unpack = (archive, target) => threads.call<number>({ archive, target }, { timeoutMs: UNPACK_MS }) } = parts
  const disk = createBundleFolder(parts.folder, onError)
  const shelf = await disk.read()
  /** How many use each. Counted before anything is waited for, so that nothing is removed that somebody is about to use. */
  const users = new Map<string, number>()
  const unpacking = new Map<string, Promise<void>>()
  /** Those that are just being taken out of sight. */
  const hiding = new Map<string, Promise<unknown>>()
  let sweeping: Promise<void> = Promise.resolve()
  let closed = false
  const timer = setInterval(() => void sweep(), everyMs).unref()

  async function present(blob: string): Promise<void> {
    await hiding.get(blob)
    const known = shelf.get(blob)
    if (known !== undefined && (await disk.touch(blob, Date.now()))) return
    const archive = await blobs.localPath(blob)
    const bytes = await disk.add(blob, (target) => unpack(archive, target))
    shelf.set(blob, { bytes, usedAt: Date.now() })
    if (total() > maxBytes) void sweep()
  }

  /** Not aborted with its first caller: others may have come to wait for it. */
  function unpackOnce(blob: string): Promise<void> {
    const work = unpacking.get(blob) ?? present(blob).finally(() => unpacking.delete(blob))
    unpacking.set(blob, work)
    return work
  }

  function leave(blob: string): void {
    const left = users.get(blob)! - 1
    if (left > 0) users.set(blob, left)
    else users.delete(blob)
    const bundle = shelf.get(blob)
    if (bundle !== undefined) bundle.usedAt = Date.now()
  }

  function total(): number {
    let sum = 0
    for (const { bytes } of shelf.values()) sum += bytes
    return sum
  }

  /** Never rejects. */
  function sweep(): Promise<void> {
    sweeping = sweeping.then(removeSome)
    return sweeping
  }

  async function removeSome(): Promise<void> {
    const oldest = [...shelf].toSorted(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [blob] of oldest) {
      const bundle = shelf.get(blob)
      if (closed) return
      if (bundle === undefined || users.has(blob)) continue
      if (bundle.usedAt > Date.now() - unusedMs && total() <= maxBytes) continue
      await remove(blob).catch((error: unknown) => onError(error, `removing the unpacked bundle ${blob}`))
    }
  }

  async function remove(blob: string): Promise<void> {
    const hidden = disk.hide(blob)
    // What comes to use it unpacks it anew, once the old one is out of the way.
    hiding.set(
      blob,
      hidden.catch(() => {}),
    )
    const removeRest = await hidden.finally(() => hiding.delete(blob))
    shelf.delete(blob)
    await removeRest()
  }

  void sweep()
  return {
    async ensure(blob, signal) {
      signal?.throwIfAborted()
      users.set(blob, (users.get(blob) ?? 0) + 1)
      let used = true
      const release = (): void => {
        if (used) leave(blob)
        used = false
      }
      try {
        await unpackOnce(blob)
      } catch (error) {
        release()
        throw error
      }
      return { folder: disk.pathOf(blob), release }
    },
    sweep,
    async close() {
      closed = true
      clearInterval(timer)
      await threads.close()
      await sweeping
      await disk.settled()
    },
  }
}
