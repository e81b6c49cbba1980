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
  /** A `skill.md` is called SKILL.md there: whoever unpacks it looks for that. Default false. */
  readonly capitals?: boolean
  /** Files that are no part of the package, before all others. Default: none. */
  readonly extra?: readonly { readonly path: string; readonly text: string }[]
}

/** The first instant that a zip can name, in local time, as zips have it: the same bytes in every zone. */
const NO_TIME = new Date(1980, 0, 1)

/** Files in the order of their paths, uncompressed and without times: the same package gives the same bytes, on any machine and zlib. */
export async function pack({ dir, files, prefix, capitals = false, extra = [] }: PackRequest): Promise<ArrayBuffer> {
  const zip = new ZipFile()
  const bytes = buffer(zip.outputStream as Readable)
  const failed = once(zip as unknown as NodeJS.EventEmitter, 'error').then(([error]) => {
    throw error as Error
  })
  const options = { mtime: NO_TIME, compress: false, forceDosTimestamp: true }
  for (const { path, text } of extra) zip.addBuffer(Buffer.from(text), path, { ...options, mode: 0o100644 })
  const paths = new Set(files.map(({ path }) => path))
  for (const { path, executable } of sortFiles(files)) {
    const name = capitals && path === 'skill.md' && !paths.has('SKILL.md') ? 'SKILL.md' : path
    zip.addFile(join(dir, path), prefix + name, { ...options, mode: executable ? 0o100755 : 0o100644 })
  }
  zip.end()
  const all = await Promise.race([bytes, failed])
  return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength)
}
