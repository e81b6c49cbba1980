import { readFileSync, readSync, readdirSync, statSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownerAlive, ownerMark } from './owner.ts'

/** One mounted hierarchy. `options` holds the controllers in v1. */
export interface CgroupMount {
  readonly path: string
  readonly type: 'cgroup' | 'cgroup2'
  readonly options: readonly string[]
}

export function cgroupMounts(text: string = readFileSync('/proc/mounts', 'utf8')): CgroupMount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type, options] = line.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    return [{ path: path!, type, options: options!.split(',') }]
  })
}

/** `skillet-<key>-<owner's mark>-<number>`: who may remove it can be read from it. */
export function cgroupName(key: string, number: number): string {
  return `skillet-${key}-${ownerMark()}-${number}`
}

/**
 * Removes the groups of this key in a folder whose owner is gone, with all processes in them. Other servers' are not touched, but
 * for empty ones that nobody has used for long: their data folder may be gone, and nobody would come back for them.
 */
export async function sweepCgroups(folder: string, key: string): Promise<void> {
  const alive = new Map<string, boolean>()
  // Looked at without yielding, as nobody is served yet: there may be hundreds, and it takes a tenth of the time.
  for (const name of readdirSync(folder)) {
    const [, group, mark] = /^skillet-([0-9a-f]{16})-(.+)-\d+$/.exec(name) ?? []
    if (group === undefined || mark === undefined) continue
    // An owner may have hundreds.
    if (!alive.has(mark)) alive.set(mark, ownerAlive(mark))
    if (alive.get(mark) === true) continue
    const path = join(folder, name)
    if (group === key) await killAndRemove(path)
    // Refused by the kernel while there is a process in it.
    else if (isOld(path)) await rmdir(path).catch(() => undefined)
  }
}

const OLD_MS = 600_000

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > OLD_MS
  } catch {
    return false // The group is gone.
  }
}

/** Kills every process in the group until none is left, then removes it. */
export async function killAndRemove(folder: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await rmdir(folder)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || tries > 1000) throw error
    }
    for (const pid of pidsIn(folder)) kill(pid)
    // Dying takes the kernel a moment and nothing tells its end: look again soon.
    await sleep(tries < 20 ? 1 : 10)
  }
}

export function pidsIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return [] // The group is gone.
  }
}

/** Reads one of the kernel's small counter files through a descriptor that stays open: microseconds, no disk. */
export function readCounter(fd: number): string {
  return counters.toString('latin1', 0, readSync(fd, counters, 0, counters.length, 0))
}

const counters = Buffer.alloc(2048)

/** The number after a name in a file of `name number` lines. */
export function counterIn(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

function kill(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
