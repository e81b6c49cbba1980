import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Places } from '../src/runtime/bwrap/places.ts'
import { SANDBOX_UIDS } from '../src/runtime/bwrap/uids.ts'

/** What no sandbox may change, in words: names of things and their states. */
export type HostState = ReadonlyMap<string, string>

export function hostState(): HostState {
  const state = new Map<string, string>()
  for (const name of SETTINGS) state.set(`/proc/sys/${name}`, text(`/proc/sys/${name}`))
  for (const node of ['null', 'zero', 'full', 'random', 'urandom']) {
    const { mode, uid, gid, rdev } = lstatSync(`/dev/${node}`)
    state.set(`/dev/${node}`, [mode, uid, gid, rdev].join(' '))
  }
  state.set('mounts', mountPoints())
  for (const folder of OPEN_FOLDERS) state.set(`files in ${folder}`, foreignFiles(folder).join(' '))
  for (const kind of ['shm', 'sem', 'msg']) state.set(`System V ${kind}`, foreignIpc(kind))
  for (const folder of ['/', process.cwd()]) state.set(`core dumps in ${folder}`, coreDumps(folder))
  // Of the wall clock against the one that nobody can set, in steps that no correction of the time makes.
  state.set('clock', String(Math.round((Date.now() - performance.now() - performance.timeOrigin) / 10_000)))
  return state
}

/** What is different, in words; empty when nothing is. */
export function hostChanges(before: HostState, after: HostState): string[] {
  return [...after].flatMap(([what, now]) => {
    const then = before.get(what)
    return then === now ? [] : [`${what} changed on the host: "${then}" is "${now}"`]
  })
}

/** Processes that still see one of the folders, after what should have ended them: they get a while to be gone, as others may come first. */
export async function processesIn(folders: readonly string[]): Promise<string[]> {
  let left: string[] = []
  for (let tries = 0; tries < 1000; tries++) {
    left = pids().filter((pid) => folders.some((folder) => text(`/proc/${pid}/mountinfo`).includes(folder)))
    if (left.length === 0) return []
    await pause(20)
  }
  return left.map((pid) => `${pid} (${text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 100)})`)
}

/** Control groups with the name of the places, and core dumps in them. */
export function leftIn(places: Places): string[] {
  const groups = groupsNamed('/sys/fs/cgroup', places.key, 4)
  return [
    ...groups,
    ...(coreDumps(places.root) === '' ? [] : [`core dumps in ${places.root}: ${coreDumps(places.root)}`]),
  ]
}

const SETTINGS = [
  'kernel/core_pattern',
  'kernel/hostname',
  'kernel/domainname',
  'kernel/modprobe',
  'kernel/randomize_va_space',
  'kernel/sysrq',
  'vm/swappiness',
  'vm/overcommit_memory',
  'fs/suid_dumpable',
]
const OPEN_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm']

/** Of those who attack: the users of sandboxes, and this one where it is not root. */
function foreign(uid: number): boolean {
  return process.getuid!() === 0 ? uid >= SANDBOX_UIDS.first && uid <= SANDBOX_UIDS.last : uid === process.getuid!()
}

/** What the suite itself makes has a name that begins so. */
const OWN = 'skillet-'

function foreignFiles(folder: string): string[] {
  return list(folder)
    .filter((name) => !name.startsWith(OWN))
    .filter((name) => {
      const info = lstatSync(join(folder, name), { throwIfNoEntry: false })
      return info !== undefined && foreign(info.uid)
    })
    .toSorted()
}

/** Lines of /proc/sysvipc whose owner or maker is one of them; the columns differ, the numbers do not occur otherwise. */
function foreignIpc(kind: string): string {
  const lines = text(`/proc/sysvipc/${kind}`).split('\n').slice(1)
  return lines
    .filter((line) =>
      line
        .trim()
        .split(/\s+/)
        .some((field) => foreign(Number(field))),
    )
    .join('\n')
}

function coreDumps(folder: string): string {
  return list(folder)
    .filter((name) => /^core(\.\d+)?$/.test(name))
    .join(' ')
}

/** Where something is mounted, with what and how; numbers apart, which change by themselves. */
function mountPoints(): string {
  const lines = text('/proc/self/mountinfo').trim().split('\n')
  return lines.map((line) => line.split(' ').slice(3, 6).join(' ')).join('\n')
}

function groupsNamed(folder: string, key: string, depth: number): string[] {
  if (depth === 0) return []
  return list(folder).flatMap((name) => {
    const path = join(folder, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return []
    return name.includes(key) ? [path] : groupsNamed(path, key, depth - 1)
  })
}

/** Itself and the processes of the same program apart. */
function pids(): string[] {
  const own = namespace('self')
  return list('/proc').filter((name) => /^\d+$/.test(name) && namespace(name) !== own)
}

/** Null for one that is gone or not to be looked at. */
function namespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return null
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // Not there, or not for this user.
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
