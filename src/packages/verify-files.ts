import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PackageFile } from '../model/packages.ts'
import { LIMITS } from '../model/sizes.ts'
import { packageDigest, sortFiles } from './digest.ts'
import { isIgnored } from './zip/entries.ts'
import { unpack } from './zip/unpack.ts'

/** Files as somebody got them, measured as those of a package are. */
export interface FilesAtHand {
  /** By path. */
  readonly files: readonly PackageFile[]
  /** What a package of just these files has. */
  readonly digest: string
  /** What no package has: links, pipes, what tools leave behind. With any of it, the digest says nothing of the whole. */
  readonly faults: readonly string[]
}

/** Everything in a folder: nothing is left out, and no link is followed. */
export async function filesInFolder(folder: string): Promise<FilesAtHand> {
  const files: PackageFile[] = []
  const faults: string[] = []
  await walk('')
  return { files: sortFiles(files), digest: packageDigest(files), faults }

  async function walk(inside: string): Promise<void> {
    for (const entry of await readdir(join(folder, inside), { withFileTypes: true })) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (isIgnored(path)) faults.push(`"${path}" is left behind by a tool; no package has it`)
      else if (entry.isDirectory()) await walk(path)
      else if (!entry.isFile()) {
        faults.push(`"${path}" is ${entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`)
      } else if (files.length >= LIMITS.packageEntries) {
        faults.push(`there are more than ${LIMITS.packageEntries} files`)
        return
      } else files.push(await measured(folder, path))
    }
  }
}

/** Everything in a zip, with or without one folder around it. */
export async function filesInZip(archive: string): Promise<FilesAtHand> {
  const scratch = await mkdtemp(join(tmpdir(), 'skillet-verify-'))
  try {
    const { findings, unpacked } = await unpack({ archive, targetDir: join(scratch, 'files'), limits: LIMITS })
    const faults = findings.map(({ message }) => message.replace(/\.$/, ''))
    return { files: unpacked?.files ?? [], digest: unpacked?.digest ?? packageDigest([]), faults }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function measured(folder: string, path: string): Promise<PackageFile> {
  const file = join(folder, path)
  const { mode } = await lstat(file)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    size += chunk.length
  }
  return { path, size, sha256: hash.digest('hex'), executable: (mode & 0o111) !== 0 }
}
