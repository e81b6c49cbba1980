import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  cgroupMounts,
  cgroupName,
  counterIn,
  killAndRemove,
  pidsIn,
  readCounter,
  sweepCgroups,
} from './cgroup-files.ts'
import { cpuWeight } from './cpu-weight.ts'
import { type GivingWay, createGivingWay } from './giving-way.ts'
import { CPU_SHARES, type Caps, type LimitGroup, type Limits, cpuQuota } from './limits.ts'

/**
 * Version 2: one tree, and any user whose subtree was delegated (systemd: `Delegate=yes`). The groups stand beside a leaf into
 * which the server moves itself, since only leaves may hold processes. Null where that is not possible.
 */
export async function openCgroupV2(key: string): Promise<Limits | null> {
  const base = ownGroup()
  if (base === null || !(await delegated(base))) return null
  await sweepCgroups(base, key)
  const controllers = await readFile(join(base, 'cgroup.subtree_control'), 'utf8')
  const cpu = controllers.trim().split(' ').includes('cpu')
  const way = cpu ? createGivingWay() : null
  let count = 0
  return {
    kind: 'cgroup v2',
    strength: 'hard',
    cpuQuota: cpu,
    create: (caps) => create(join(base, cgroupName(key, ++count)), caps, way),
  }
}

const NEEDED = ['memory', 'pids']
const SERVER_LEAF = 'skillet-server'
/** Stands beside the server in the container's group, and has to: somebody must take note of the processes that sandboxes leave. */
const CONTAINERS_INIT = 1

function ownGroup(): string | null {
  const mount = cgroupMounts().find(({ type }) => type === 'cgroup2')
  const path = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  if (mount === undefined || path === undefined || path.includes('/..')) return null
  const own = join(mount.path, path)
  return own.endsWith(`/${SERVER_LEAF}`) ? dirname(own) : own
}

async function delegated(base: string): Promise<boolean> {
  const controllers = (await readFile(join(base, 'cgroup.controllers'), 'utf8').catch(() => '')).split(/\s+/)
  if (!NEEDED.every((name) => controllers.includes(name))) return false
  const wanted = [...NEEDED, 'cpu'].filter((name) => controllers.includes(name)).map((name) => `+${name}`)
  const enable = (): Promise<boolean> => succeeds(writeFile(join(base, 'cgroup.subtree_control'), wanted.join(' ')))
  if (await enable()) return true
  // A group with processes in it cannot give controllers to its children: make room.
  const leaf = join(base, SERVER_LEAF)
  if (!(await succeeds(mkdir(leaf).catch(unlessExists)))) return false
  if ((await moveOurs(base, leaf)) && (await enable())) return true
  await moveOurs(leaf, base)
  await succeeds(rmdir(leaf))
  return false
}

/** The server first, so that what it starts from now on is there too; then what it has started before, and what stands for init. */
async function moveOurs(from: string, to: string): Promise<boolean> {
  const move = (pid: number): Promise<boolean> => succeeds(writeFile(join(to, 'cgroup.procs'), String(pid)))
  if (!(await move(process.pid))) return false
  // One that cannot be moved is gone, or keeps the group from giving its controllers on, which is told then.
  for (const pid of pidsIn(from)) if (pid === CONTAINERS_INIT || parentOf(pid) === process.pid) await move(pid)
  return true
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null // The process is gone.
  }
}

/** @param way Null where CPU time cannot be shared out. */
async function create(folder: string, caps: Caps, way: GivingWay | null): Promise<LimitGroup> {
  const file = (name: string): string => join(folder, name)
  const fds: number[] = []
  let removing: Promise<void> | null = null
  let leave: (() => boolean) | null = null
  const remove = (): Promise<void> => {
    removing ??= (async () => {
      // What is behind all others would take long to die.
      leave?.()
      for (const fd of fds) closeSync(fd)
      fds.length = 0
      // Since Linux 5.14; where it is missing the processes are killed one by one.
      await succeeds(writeFile(file('cgroup.kill'), '1', { flag: 'r+' }))
      await killAndRemove(folder)
    })()
    return removing
  }
  const open = (name: string, flags: string): number => {
    const fd = openSync(file(name), flags)
    fds.push(fd)
    return fd
  }

  try {
    await mkdir(folder)
    await writeFile(file('memory.max'), String(caps.memory_bytes))
    await succeeds(writeFile(file('memory.swap.max'), '0', { flag: 'r+' }))
    await writeFile(file('memory.oom.group'), '1')
    await writeFile(file('pids.max'), String(caps.pids))
    await succeeds(writeFile(file('cpu.weight'), String(CPU_WEIGHT), { flag: 'r+' }))
    const quota = cpuQuota(caps.cpus)
    if (quota !== null) await succeeds(writeFile(file('cpu.max'), `${quota.quota} ${quota.period}`, { flag: 'r+' }))
    const events = open('memory.events', 'r')
    const cpu = open('cpu.stat', 'r')
    const peak = openPeak(open)
    const cpuMs = (): number => counterIn(readCounter(cpu), 'usage_usec') / 1000
    const kills = (): number => counterIn(readCounter(events), 'oom_kill')
    const contender = { ...cpuWeight(folder, CPU_FILES, caps.cpus), cpuMs }
    let before = { cpu: 0, kills: 0 }
    return {
      join: (pid) => writeFile(file('cgroup.procs'), String(pid)),
      begin() {
        peak?.reset()
        before = { cpu: cpuMs(), kills: kills() }
        leave = way && way.begin(contender)
      },
      end() {
        const lowered = leave?.() === false
        if (fds.length === 0) return { cpu_ms: null, peak_memory_bytes: null, oom: false, lowered }
        return {
          lowered,
          cpu_ms: cpuMs() - before.cpu,
          peak_memory_bytes: peak === null ? null : Number(readCounter(peak.fd)),
          oom: kills() > before.kills,
        }
      },
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Of 100, which the server has. */
const CPU_WEIGHT = Math.round((CPU_SHARES * 100) / 1024)
const CPU_FILES = {
  weight: { name: 'cpu.weight', usual: CPU_WEIGHT, least: 1 },
  quota: { name: 'cpu.max', text: (quota: number, period: number) => `${quota} ${period}`, none: 'max' },
}

/**
 * `memory.peak`: since Linux 5.19; since 6.12 writing to a descriptor starts it anew for that descriptor, before that it is the life's,
 * although root may open it for writing.
 */
function openPeak(open: (name: string, flags: string) => number): { fd: number; reset: () => void } | null {
  for (const flags of ['r+', 'r']) {
    try {
      const fd = open('memory.peak', flags)
      const reset = flags === 'r' ? () => undefined : () => void writeSync(fd, 'reset', 0)
      reset()
      return { fd, reset }
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return null
}

function unlessExists(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
}

const succeeds = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  )
