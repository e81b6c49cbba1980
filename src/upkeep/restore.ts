import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncFolder } from '../backends/disk/files.ts'
import { checkSqliteFile } from '../backends/sql/sqlite-check.ts'
import { BackupInvalid, DATABASE, type Manifest } from './backup-format.ts'
import { readBackup } from './read-backup.ts'

/** The folder cannot be made out of a backup: there is something in it. */
export class FolderNotEmpty extends Error {
  readonly fix =
    'Name a folder that does not exist yet or is empty; to go back to a backup, move the old one away first.'
  constructor(folder: string) {
    super(`The folder "${folder}" is not empty.`)
    this.name = 'FolderNotEmpty'
  }
}

/**
 * Makes a data folder out of a backup: all of it, on the disk, or nothing.
 * @param dataDir Missing or empty.
 * @param onProgress Told how many of how many bytes are there.
 * @throws FolderNotEmpty, BackupInvalid
 */
export async function restoreBackup(
  file: string,
  dataDir: string,
  onProgress: (bytes: number, of: number) => void = () => {},
): Promise<Manifest> {
  const target = await emptyFolder(dataDir)
  const draft = join(dirname(target), `.${basename(target)}.restore-${randomUUID()}`)
  await mkdir(draft, { mode: 0o700 })
  try {
    const manifest = await unpack(file, draft, onProgress)
    // Renaming replaces an empty folder, and fails where somebody has put something into it meanwhile.
    await rename(draft, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') throw new FolderNotEmpty(dataDir)
      const fix = 'Name a folder that can be made anew: not the mount point of a disk, but a folder in it.'
      throw error.code === 'EBUSY' ? Object.assign(error, { fix }) : error
    })
    await syncFolder(dirname(target))
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

/** Its real path. */
async function emptyFolder(dataDir: string): Promise<string> {
  const there = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error.code === 'ENOTDIR' ? new FolderNotEmpty(dataDir) : error
  })
  if (there === null) {
    await mkdir(dirname(dataDir), { recursive: true })
    return dataDir
  }
  if (there.length > 0) throw new FolderNotEmpty(dataDir)
  return realpath(dataDir)
}

async function unpack(file: string, draft: string, onProgress: (bytes: number, of: number) => void): Promise<Manifest> {
  const folders = new Set([draft])
  let [done, all] = [0, 0]
  const manifest = await readBackup(createReadStream(file, { highWaterMark: 256 * 1024 }), {
    async begin({ members }) {
      all = members.reduce((sum, { size }) => sum + size, 0)
    },
    async member({ name }, bytes) {
      const path = join(draft, name)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      folders.add(dirname(path)).add(dirname(dirname(path)))
      await using handle = await open(path, 'wx', 0o600)
      for await (const chunk of bytes) {
        await handle.writeFile(chunk)
        onProgress((done += chunk.length), all)
      }
      await handle.sync()
    },
  })
  const wrong = checkSqliteFile(join(draft, DATABASE))
  if (wrong !== null) throw new BackupInvalid(`The backup cannot be used: ${wrong}`)
  for (const folder of folders) if (folder.startsWith(draft)) await syncFolder(folder)
  return manifest
}
