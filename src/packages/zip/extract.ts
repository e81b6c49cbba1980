import { createHash } from 'node:crypto'
import { chmodSync, closeSync, constants, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32, createInflateRaw } from 'node:zlib'
import type { PackageFile } from '../../model/packages.ts'
import type { Findings } from '../rules.ts'
import { isExecutable } from './entries.ts'
import type { Located } from './layout.ts'
import { printable } from './names.ts'
import type { Source } from './source.ts'

/**
 * Writes one entry below `root`, counting, hashing and checking what really comes out. Never inflates more than was declared.
 * @param path Where it goes, relative to `root`; checked before.
 * @returns Null when the content is not what the archive says; the findings say how.
 */
export async function extract(
  source: Source,
  at: Located,
  root: string,
  path: string,
  findings: Findings,
): Promise<PackageFile | null> {
  const { entry } = at
  const shown = printable(entry.path)
  const executable = isExecutable(entry)
  const target = join(root, path)
  makeFolders(root, path)
  // Exclusive and without following: whatever the archive says, an existing file is never written through.
  const fd = openSync(target, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  const hash = createHash('sha256')
  let size = 0
  let crc = 0
  try {
    const content = open(source, at)
    try {
      for await (const chunk of content.stream as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > entry.size) break
        hash.update(chunk)
        crc = crc32(chunk, crc)
        writeAll(fd, chunk)
      }
    } catch (error) {
      findings.add('zip.malformed', `"${shown}" cannot be inflated: ${(error as Error).message}.`, shown)
      return null
    }
    if (size !== entry.size) {
      const found = size > entry.size ? 'more' : `only ${size}`
      findings.add(
        'zip.size_mismatch',
        `"${shown}" should inflate to ${entry.size} bytes, but there are ${found}.`,
        shown,
      )
      return null
    }
    if (content.consumed() !== entry.compressedSize) {
      findings.add('zip.hidden_data', `"${shown}" has bytes after the end of its compressed content.`, shown)
      return null
    }
  } finally {
    closeSync(fd)
  }
  if (crc !== entry.crc) {
    findings.add('zip.crc', `"${shown}" does not have the checksum that the archive names.`, shown)
    return null
  }
  chmodSync(target, executable ? 0o755 : 0o644)
  return { path, size, sha256: hash.digest('hex'), executable }
}

function open(
  source: Source,
  { entry, dataStart }: Located,
): { stream: AsyncIterable<unknown>; consumed: () => number } {
  if (entry.compressedSize === 0) return { stream: (async function* () {})(), consumed: () => 0 }
  const raw = createReadStream('', {
    fd: source.fd,
    start: dataStart,
    end: dataStart + entry.compressedSize - 1,
    autoClose: false,
  })
  if (entry.method === 0) return { stream: raw, consumed: () => entry.compressedSize }
  const inflate = createInflateRaw({ chunkSize: 65_536 })
  raw.on('error', (error) => inflate.destroy(error))
  return { stream: raw.pipe(inflate), consumed: () => inflate.bytesWritten }
}

function writeAll(fd: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at)
}

/** Sandboxes run as other users: they must be able to look into every folder, whatever the umask of the server. */
function makeFolders(root: string, path: string): void {
  const made = mkdirSync(join(root, dirname(path)), { recursive: true })
  if (made === undefined) return
  const segments = dirname(path).split('/')
  for (let depth = 1; depth <= segments.length; depth++) chmodSync(join(root, ...segments.slice(0, depth)), 0o755)
}
