import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Caps, LimitGroup, Limits } from './limits.ts'
import { sandboxMemory } from './sandbox-memory.ts'

/** Where there are no cgroups: looks at the memory of the sandbox's processes and has it killed. Processes are limited by rlimits. */
export function openWatchdog(): Limits {
  return { kind: 'watchdog', strength: 'soft', cpuQuota: false, create: (caps) => Promise.resolve(watch(caps)) }
}

/** Between two looks at most, while a run goes on and between runs, when what it left may still grow. A look costs 0.2 ms. */
const RUNNING_MS = 50
const IDLE_MS = 250
/** And at least; and this many times as long as a look took, so that a sandbox with a hundred processes does not keep the server busy. */
const SOONEST_MS = 5
const REST = 3
/** How fast memory was seen to be taken: 2 GB a second by each of two cores. */
const BYTES_PER_MS = 4e6
/** Of the kernel's USER_HZ, which is 100 on every architecture served here. */
const MS_PER_TICK = 10

function watch(caps: Caps): LimitGroup {
  let launcher: number | null = null
  let timer: NodeJS.Timeout | null = null
  let running = false
  let peak: number | null = null
  let exceeded = false
  let cpuBefore = 0
  let cpuSeen = 0

  /** @returns What is in use, in bytes. */
  function look(): number {
    if (launcher === null) return 0
    const pids = descendants(launcher)
    const memory = sandboxMemory(pids, caps.memory_bytes)
    if (memory > 0) peak = Math.max(peak ?? 0, memory)
    cpuSeen = Math.max(
      cpuSeen,
      pids.reduce((sum, pid) => sum + cpuMs(pid), 0),
    )
    if (memory > caps.memory_bytes && !exceeded) {
      exceeded = true
      caps.onExceeded()
    }
    return memory
  }

  function watchOn(): void {
    if (timer !== null) clearTimeout(timer)
    const began = performance.now()
    const memory = look()
    if (launcher === null) return
    const cost = performance.now() - began
    const reached = (caps.memory_bytes - memory) / BYTES_PER_MS
    const pause = Math.max(SOONEST_MS, cost * REST, Math.min(reached, running ? RUNNING_MS : IDLE_MS))
    timer = setTimeout(watchOn, pause).unref()
  }

  return {
    join(pid) {
      launcher = pid
      watchOn()
      return Promise.resolve()
    },
    begin() {
      exceeded = false
      running = true
      watchOn()
      peak = null
      cpuBefore = cpuSeen
    },
    end() {
      if (!exceeded) look()
      running = false
      const used = cpuSeen - cpuBefore
      // Nothing seen: it was over before the first look.
      return { cpu_ms: used > 0 ? used : null, peak_memory_bytes: peak, oom: exceeded }
    },
    async remove() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      if (launcher === null) return
      // Seen before anything dies: callers ask for removal first and kill then.
      const all = descendants(launcher)
      launcher = null
      // Each by itself, the launcher last: were it killed alone, what is in the sandbox would have to end by itself.
      for (const pid of all.toReversed()) kill(pid)
      // The namespace's first process is gone only after the kernel has killed all others in it.
      for (let tries = 0; all.some(alive) && tries < 500; tries++) await sleep(tries < 20 ? 1 : 10)
    },
  }
}

/** The process and all below it: a sandbox's processes cannot leave this tree, their namespace's first process inherits orphans. */
function descendants(root: number): number[] {
  const all = [root]
  for (let i = 0; i < all.length; i++) {
    // A child is listed under the thread that made it.
    for (const thread of threads(all[i]!)) {
      const children = read(`/proc/${all[i]}/task/${thread}/children`)
      for (const pid of children.split(' ')) if (pid !== '') all.push(Number(pid))
    }
  }
  return all
}

/** With the time of children it has waited for. */
function cpuMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + (Number(ticks) || 0), 0) * MS_PER_TICK
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // The process is gone.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const alive = (pid: number): boolean => read(`/proc/${pid}/stat`) !== ''

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // The process is gone.
  }
}
