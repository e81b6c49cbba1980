import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import yauzl from 'yauzl'
import type { PackageFile } from '../../src/model/packages.ts'

/** What somebody got of a skill, whichever way. */
export interface Artefact {
  /** As they lie in it, with its folders. */
  readonly files: readonly PackageFile[]
  readonly bytes: number
}

export const fileOf = (path: string, content: Uint8Array, executable: boolean): PackageFile => ({
  path,
  size: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  executable,
})

/** A zip, read by other people's code. */
export async function zipArtefact(zip: Uint8Array): Promise<Artefact> {
  const opened = await yauzl.fromBufferPromise(Buffer.from(zip))
  const files: PackageFile[] = []
  for await (const entry of opened.eachEntry()) {
    const mode = entry.externalFileAttributes >>> 16
    if ((mode & 0o170000) !== 0o100000) throw new Error(`${entry.fileName} is no plain file: ${mode.toString(8)}.`)
    const content = await buffer(await opened.openReadStreamPromise(entry))
    files.push(fileOf(entry.fileName, content, (mode & 0o111) !== 0))
  }
  return { files, bytes: zip.length }
}

/** The files below a folder of it; all others must be among those that are named. */
export function below({ files }: Artefact, folder: string, others: readonly string[] = []): PackageFile[] {
  return files.flatMap((file) => {
    if (file.path.startsWith(folder)) return [{ ...file, path: file.path.slice(folder.length) }]
    if (others.includes(file.path)) return []
    throw new Error(`${file.path} lies beside ${folder}.`)
  })
}
