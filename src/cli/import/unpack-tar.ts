import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import tar from 'tar-stream'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import type { ArchiveLimits } from '../../packages/zip/entries.ts'

/**
 * Writes the files of a tar.gz. Links and devices are left out.
 * @returns How many were left out. @throws CliError for what leads elsewhere, and for what is too large
 */
export async function unpackTar(
  archive: string,
  target: string,
  limits: Pick<ArchiveLimits, 'packageBytes' | 'packageEntries' | 'pathChars'>,
): Promise<number> {
  const extract = tar.extract()
  let [bytes, entries, leftOut] = [0, 0, 0]
  const written = (async () => {
    for await (const entry of extract) {
      const { name, type, mode, size } = entry.header
      if (++entries > limits.packageEntries) throw refused(`It has more than ${limits.packageEntries} entries.`)
      bytes += size
      if (bytes > limits.packageBytes) throw refused(`Its files have more than ${limits.packageBytes} bytes together.`)
      if (type === 'file')
        await write(target, safe(name, limits.pathChars), entry, (mode & 0o111) === 0 ? 0o644 : 0o755)
      else {
        if (type !== 'directory') leftOut++
        entry.resume()
      }
    }
  })()
  try {
    await Promise.all([pipeline(createReadStream(archive), createGunzip(), atMost(limits), extract), written])
  } catch (error) {
    // The reader ends the pipe when it refuses: its word counts.
    await written
    throw refused((error as Error).message)
  }
  return leftOut
}

/** Of all that a tar holds: also of what it says about files, which may be long, and is read into memory. */
const atMost = ({ packageBytes, packageEntries }: Pick<ArchiveLimits, 'packageBytes' | 'packageEntries'>) =>
  async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    let left = packageBytes + packageEntries * ENTRY_BYTES
    for await (const chunk of chunks) {
      left -= chunk.length
      if (left < 0) throw refused(`It has more than ${packageBytes} bytes.`)
      yield chunk
    }
  }

/** A header, what a long path takes, and what a file is filled up with. */
const ENTRY_BYTES = 4096

async function write(target: string, path: string, content: AsyncIterable<unknown>, mode: number): Promise<void> {
  await mkdir(dirname(join(target, path)), { recursive: true })
  const file = await open(join(target, path), 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? refused(`It has "${path}" twice.`) : refused(error.message)
  })
  try {
    for await (const chunk of content) await file.writeFile(chunk as Buffer)
  } finally {
    await file.close()
  }
}

function safe(name: string, pathChars: number): string {
  const segments = name.split('/').filter((one) => one !== '.')
  const good = segments.length > 0 && segments.every((one) => one !== '' && one !== '..' && !/[\\\p{Cc}]/u.test(one))
  if (good && name.length <= pathChars) return segments.join('/')
  throw refused(`A path in it is "${JSON.stringify(name).slice(1, 101)}".`)
}

const refused = (why: string): CliError =>
  new CliError(EXIT.failed, 'The archive cannot be unpacked.', { why, fix: 'Unpack it yourself, and name the folder.' })
