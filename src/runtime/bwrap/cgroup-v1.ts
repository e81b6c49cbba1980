import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupMounts, cgroupName, counterIn, killAndRemove, readCounter, sweepCgroups } from './cgroup-files.ts'
import { cpuWeight } from './cpu-weight.ts'
import { type GivingWay, createGivingWay } from './giving-way.ts'
import { CPU_SHARES, type Caps, type LimitGroup, type Limits, cpuQuota } from './limits.ts'

/** Version 1: a hierarchy for each controller, and root only. Null where memory or pids are missing or not writable. */
export async function openCgroupV1(key: string): Promise<Limits | null> {
  const roots = new Map<string, string>()
  for (const mount of cgroupMounts()) {
    if (mount.type !== 'cgroup') continue
    for (const controller of ['memory', 'pids', 'cpu', 'cpuacct']) {
      if (mount.options.includes(controller) && (await writable(mount.path))) roots.set(controller, mount.path)
    }
  }
  if (!roots.has('memory') || !roots.has('pids')) return null
  const folders = [...new Set(roots.values())]
  await Promise.all(folders.map((folder) => sweepCgroups(folder, key)))
  const way = createGivingWay()
  let count = 0
  return {
    kind: 'cgroup v1',
    strength: 'hard',
    cpuQuota: roots.has('cpu') && (await exists(join(roots.get('cpu')!, 'cpu.cfs_quota_us'))),
    create: (caps) => create(roots, folders, cgroupName(key, ++count), caps, way),
  }
}

async function create(
  roots: ReadonlyMap<string, string>,
  folders: readonly string[],
  name: string,
  caps: Caps,
  way: GivingWay,
): Promise<LimitGroup> {
  const own = folders.map((folder) => join(folder, name))
  const file = (controller: string, setting: string): string => join(roots.get(controller)!, name, setting)
  const fds: number[] = []
  let removing: Promise<void> | null = null
  let leave: (() => boolean) | null = null
  const remove = (): Promise<void> => {
    removing ??= (async () => {
      // What is behind all others would take long to die.
      leave?.()
      for (const fd of fds) closeSync(fd)
      fds.length = 0
      for (const folder of own) await killAndRemove(folder)
    })()
    return removing
  }
  const open = (controller: string, setting: string, flags: string): number => {
    const fd = openSync(file(controller, setting), flags)
    fds.push(fd)
    return fd
  }

  try {
    await Promise.all(own.map((folder) => mkdir(folder)))
    await writeFile(file('memory', 'memory.limit_in_bytes'), String(caps.memory_bytes))
    await writeFile(file('memory', 'memory.swappiness'), '0')
    // Memory and swap together: no swap at all. The file is missing where the kernel does not count swap.
    await writeFile(file('memory', 'memory.memsw.limit_in_bytes'), String(caps.memory_bytes)).catch(ignoreMissing)
    await writeFile(file('pids', 'pids.max'), String(caps.pids))
    const quota = cpuQuota(caps.cpus)
    if (roots.has('cpu')) {
      await writeFile(file('cpu', 'cpu.shares'), String(CPU_SHARES))
      if (quota !== null) await writeFile(file('cpu', 'cpu.cfs_quota_us'), String(quota.quota)).catch(ignoreMissing)
    }
    const oomFd = open('memory', 'memory.oom_control', 'r')
    const peakFd = open('memory', 'memory.max_usage_in_bytes', 'r+')
    const cpuFd = roots.has('cpuacct') ? open('cpuacct', 'cpuacct.usage', 'r') : null
    const cpuMs = (): number => (cpuFd === null ? 0 : Number(readCounter(cpuFd)) / 1e6)
    const kills = (): number => counterIn(readCounter(oomFd), 'oom_kill')
    const weight = cpuWeight(join(roots.get('cpu') ?? '', name), CPU_FILES, caps.cpus)
    const contender = roots.has('cpu') && cpuFd !== null ? { ...weight, cpuMs } : null
    let before = { cpu: 0, kills: 0 }
    return {
      openEntrances: () => openAll(own.map((folder) => join(folder, 'tasks'))),
      async join(pid) {
        await Promise.all(own.map((folder) => writeFile(join(folder, 'cgroup.procs'), String(pid))))
      },
      begin() {
        writeSync(peakFd, '0', 0)
        before = { cpu: cpuMs(), kills: kills() }
        leave = contender && way.begin(contender)
      },
      end() {
        const lowered = leave?.() === false
        if (fds.length === 0) return { cpu_ms: null, peak_memory_bytes: null, oom: false, lowered }
        return {
          lowered,
          cpu_ms: cpuFd === null ? null : cpuMs() - before.cpu,
          peak_memory_bytes: Number(readCounter(peakFd)),
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

/** The period of the quota is the kernel's own. */
const CPU_FILES = {
  weight: { name: 'cpu.shares', usual: CPU_SHARES, least: 2 },
  quota: { name: 'cpu.cfs_quota_us', text: String, none: '-1' },
}

function ignoreMissing(error: unknown): void {
  if (!['ENOENT', 'EOPNOTSUPP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
}

function openAll(paths: readonly string[]): number[] {
  const fds: number[] = []
  try {
    for (const path of paths) fds.push(openSync(path, constants.O_WRONLY))
    return fds
  } catch (error) {
    for (const fd of fds) closeSync(fd)
    throw error
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const writable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => process.getuid!() === 0,
    () => false,
  )
