import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, cp, link, lstat, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { ToolFiles } from '../tool-files.ts'
import { interpreter } from '../runtimes.ts'
import type { Places } from './places.ts'

/** Files of this machine for sandboxes, by way of the places' `runtime` folder where they cannot be reached as they lie. */
export function createToolFiles(places: Pick<Places, 'runtime' | 'gid' | 'files'>): ToolFiles {
  const done = new Map<string, Promise<string>>()
  const once = (key: string, make: () => Promise<string>): Promise<string> => {
    let made = done.get(key)
    if (!made) {
      made = make()
      done.set(key, made)
      // A failure is told to those who wait for it, and tried again by the next.
      made.catch(() => done.delete(key))
    }
    return made
  }
  const copy = async (source: string, finish?: (path: string) => Promise<void>): Promise<string> => {
    const name = `tool-${basename(source)}-${await stamp(source)}`
    const path = join(places.runtime, name)
    if (await lstat(path).catch(() => null)) return path
    const making = join(places.runtime, `.making-${randomBytes(6).toString('hex')}`)
    try {
      await copyAny(source, making)
      await finish?.(making)
      await rename(making, path)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      // Another server with the same places was faster.
      if (!(await lstat(path).catch(() => null))) throw error
    }
    return path
  }
  return {
    node: places.files.node,
    python: (runtime) => interpreter(places.files.runtimes, runtime),
    expose: (path) =>
      once(path, async () => {
        const real = await realpath(path)
        return places.gid === null || (await reachable(real)) ? real : await copy(real)
      }),
    exposePython: (folder) => once(`python ${folder}`, async () => copy(await realpath(folder), compile)),
  }
}

/** Unchecked: the copies are never edited, and their times say nothing. */
async function compile(folder: string): Promise<void> {
  const flags = ['-I', '-S', '-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', folder]
  await promisify(execFile)('/usr/bin/python3', flags, { cwd: '/', env: {} })
  await open(folder)
}

/** Another file system, or no right to link: then it is copied. */
const LINKED = [() => true, () => false] as const

/** Whether other users can read it and everything in it. */
async function reachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) break
  }
  return await readable(path)
}

async function readable(path: string): Promise<boolean> {
  const { mode } = await stat(path)
  if ((mode & 0o004) === 0) return false
  if (!(await lstat(path)).isDirectory()) return true
  if ((mode & 0o001) === 0) return false
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!entry.isSymbolicLink() && !(await readable(join(path, entry.name)))) return false
  }
  return true
}

/** Changes with anything in it. */
async function stamp(path: string): Promise<string> {
  const hash = createHash('sha256')
  const add = async (at: string): Promise<void> => {
    const { size, mtimeMs } = await lstat(at)
    hash.update(`${at}\0${size}\0${mtimeMs}\0`)
    if (!(await lstat(at)).isDirectory()) return
    for (const name of (await readdir(at)).sort()) if (name !== '__pycache__') await add(join(at, name))
  }
  await add(path)
  return hash.digest('hex').slice(0, 16)
}

async function copyAny(source: string, target: string): Promise<void> {
  if ((await lstat(source)).isDirectory()) {
    await cp(source, target, { recursive: true, filter: (path) => basename(path) !== '__pycache__' })
    await open(target)
    return
  }
  const shared = ((await stat(source)).mode & 0o005) === 0o005
  if (shared && (await link(source, target).then(...LINKED))) return
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, 0o755)
}

async function open(path: string): Promise<void> {
  const info = await lstat(path)
  if (info.isSymbolicLink()) return
  await chmod(path, (info.mode & 0o777) | (info.isDirectory() ? 0o755 : 0o644))
  if (info.isDirectory()) for (const name of await readdir(path)) await open(join(path, name))
}
