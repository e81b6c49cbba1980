import { once } from 'node:events'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import type { PackageFile } from '../model/packages.ts'
import { sortFiles } from './digest.ts'

export interface PackRequest {
  /** Where the files are. */
  readonly dir: string
  readonly files: readonly PackageFile[]
  /** Before each path: empty, or a folder with its slash. */
  readonly prefix: string
}

/** The first instant that a zip can name, in local time, as zips have it: the same bytes in every zone. */
const NO_TIME = new Date(1980, 0, 1)

/** Files in the order of their paths, uncompressed and without times: the same package gives the same bytes, on any machine and zlib. */
export async function pack({ dir, files, prefix }: PackRequest): Promise<ArrayBuffer> {
  const zip = new ZipFile()
  const bytes = buffer(zip.outputStream as Readable)
  const failed = once(zip as unknown as NodeJS.EventEmitter, 'error').then(([error]) => {
    throw error as Error
  })
  for (const { path, executable } of sortFiles(files)) {
    const mode = executable ? 0o100755 : 0o100644
    zip.addFile(join(dir, path), prefix + path, { mtime: NO_TIME, mode, compress: false, forceDosTimestamp: true })
  }
  zip.end()
  const all = await Promise.race([bytes, failed])
  return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength) as ArrayBuffer
}
