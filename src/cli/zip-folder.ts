import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import { packageFiles } from './package-files.ts'

export interface ZippedFolder {
  readonly file: string
  readonly size: number
  readonly sha256: string
  readonly count: number
  /** Removes the file. */
  remove(): Promise<void>
}

/** The earliest time that a zip can hold: the same files give the same zip. */
const TIME = new Date(1980, 0, 1)

/** Zips a package folder into a temporary file, without holding it in memory. */
export async function zipFolder(folder: string): Promise<ZippedFolder> {
  const paths = await packageFiles(folder)
  const scratch = await mkdtemp(join(tmpdir(), 'skillet-zip-'))
  const remove = (): Promise<void> => rm(scratch, { recursive: true, force: true })
  try {
    const zip = new yazl.ZipFile()
    for (const path of paths) {
      const { mode } = await stat(join(folder, path))
      zip.addFile(join(folder, path), path, { mtime: TIME, mode: (mode & 0o111) === 0 ? 0o100644 : 0o100755 })
    }
    zip.end()
    const file = join(scratch, 'package.zip')
    const hash = createHash('sha256')
    let size = 0
    const source = zip.outputStream as Readable
    // yazl reports a file that vanished on the object, not on its stream.
    zip.once('error', (error: Error) => source.destroy(error))
    await pipeline(
      source,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          size += chunk.length
          yield chunk
        }
      },
      createWriteStream(file, { mode: 0o600 }),
    )
    return { file, size, sha256: hash.digest('hex'), count: paths.length, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
