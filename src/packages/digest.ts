import { createHash } from 'node:crypto'
import type { PackageFile } from '../model/packages.ts'

/**
 * The address of a package: `sha256:` and the SHA-256 of one line for each file, sorted by the UTF-8 bytes of the path:
 *
 *     <sha256 of the content, hex> <x or -> <size> <path>\n
 *
 * So the same files give the same digest on any machine, whatever the order, times and compression of the archive.
 * Paths hold no line breaks: zip safety refuses control characters.
 */
export function packageDigest(files: readonly PackageFile[]): string {
  const hash = createHash('sha256')
  for (const file of sortFiles(files))
    hash.update(`${file.sha256} ${file.executable ? 'x' : '-'} ${file.size} ${file.path}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** By the bytes of the path: a locale or UTF-16 would order differently elsewhere. */
export function sortFiles(files: readonly PackageFile[]): PackageFile[] {
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}
