import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Header, extract } from 'tar-stream'
import { serveThread } from '../threads/thread-worker.ts'

const MOST_ENTRIES = 100_000
/** Of a disk, in bytes: files take whole ones, folders one. */
const BLOCK = 4096

/**
 * Unpacks a tar of regular files and folders below `target`, an empty folder. Anything else in it is refused, nothing is followed.
 * @returns What it takes on the disk, in bytes, about.
 */
serveThread(async ({ archive, target }: { archive: string; target: string }): Promise<number> => {
  const tar = extract()
  let entries = 0
  let bytes = 0
  const reading = pipeline(createReadStream(archive), tar)
  // A failure of the source ends the iteration below with the same error.
  reading.catch(() => undefined)
  for await (const entry of tar) {
    const { name, type, mode, size } = entry.header as Header & { name: string }
    if (++entries > MOST_ENTRIES) throw new Error(`The bundle has more than ${MOST_ENTRIES} entries.`)
    const path = join(target, safePath(name))
    bytes += Math.max(Math.ceil(size / BLOCK), 1) * BLOCK
    if (type === 'directory') {
      await mkdir(path, { recursive: true, mode: 0o755 })
      entry.resume()
    } else if (type === 'file') {
      await mkdir(dirname(path), { recursive: true, mode: 0o755 })
      // wx: a name that comes twice, in whatever spelling, is refused rather than written through.
      const executable = ((mode ?? 0) & 0o111) !== 0
      await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: executable ? 0o755 : 0o644 }))
    } else {
      throw new Error(`The bundle holds "${name}", a ${type}: only files and folders are allowed.`)
    }
  }
  await reading
  return bytes
})

function safePath(name: string): string {
  const parts = name
    .replace(/\/$/, '')
    .split('/')
    .filter((part) => part !== '.')
  if (name.includes('\0') || name.startsWith('/') || parts.some((part) => part === '' || part === '..')) {
    throw new Error(`The bundle holds the path "${name}", which leads out of it.`)
  }
  return parts.join('/')
}
