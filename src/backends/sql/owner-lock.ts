import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { now } from '../../model/json.ts'
import { makePrivateFile } from './private-file.ts'

export interface OwnerLock {
  /** May be called twice. */
  release(): void
}

/** Another process owns the data folder. */
export class DataFolderInUse extends Error {
  /** Null when that process has not introduced itself yet, or is just ending. */
  readonly owner: Owner | null
  constructor(folder: string, owner: Owner | null) {
    const who =
      owner === null
        ? 'another process that is just starting or ending'
        : `process ${owner.pid} since ${owner.since} (${owner.command})`
    super(`The data folder "${folder}" is in use by ${who}. Stop that server, or choose another data folder.`)
    this.name = 'DataFolderInUse'
    this.owner = owner
  }
}

/** What an owner says of itself. `started` is the process's start in clock ticks since boot: process ids are used again. */
export interface Owner {
  readonly pid: number
  readonly started: string | null
  readonly since: string
  readonly command: string
}

/** How long two that start at the same moment may keep each other waiting, in milliseconds. */
const CONTEND_MS = 250

/**
 * Makes this process the owner of the folder until it ends, however it ends.
 * What decides is a lock of the kernel's on `lock.db`, held by an open transaction: it is granted to one only and vanishes with its
 * process, so a lock of a dead one needs no breaking. `owner.json` only tells the others who it is.
 * @throws DataFolderInUse
 */
export function lockDataFolder(folder: string): OwnerLock {
  const file = join(folder, 'lock.db')
  const info = join(folder, 'owner.json')
  makePrivateFile(file)
  const lock = new DatabaseSync(file, { timeout: CONTEND_MS })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    // SQLITE_BUSY: somebody holds it. Anything else is a fault of the disk or the file.
    if ((error as { errcode?: number }).errcode === 5) throw new DataFolderInUse(folder, readOwner(info))
    throw error
  }
  HELD.add(lock)
  introduce(info)
  return {
    release() {
      if (!HELD.delete(lock)) return
      rmSync(info, { force: true })
      lock.close()
    },
  }
}

/** A connection that is collected as garbage would give up its lock. */
const HELD = new Set<DatabaseSync>()

function introduce(info: string): void {
  const owner: Owner = {
    pid: process.pid,
    started: startOf(process.pid),
    since: now(),
    command: process.argv.join(' '),
  }
  writeFileSync(`${info}.new`, JSON.stringify(owner), { mode: 0o600 })
  renameSync(`${info}.new`, info)
}

/** The owner, if it is the process that wrote the file and not one that it left behind. */
function readOwner(info: string): Owner | null {
  let owner: Owner
  try {
    owner = JSON.parse(readFileSync(info, 'utf8')) as Owner
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return owner.started === startOf(owner.pid) ? owner : null
}

/** Field 22 of /proc/<pid>/stat; the command in field 2 may hold spaces and brackets. Null: there is no such process. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
