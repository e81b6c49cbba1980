import { setTimeout as sleep } from 'node:timers/promises'
import { type GivingWay, createGivingWay } from './giving-way.ts'
import type { Caps, LimitGroup, Limits } from './limits.ts'
import { createPriorities } from './priorities.ts'
import { type TreeProcess, processTree, read } from './process-tree.ts'
import { sandboxMemory } from './sandbox-memory.ts'

/** Where there are no cgroups: looks at the memory of the sandbox's processes and has it killed. Processes are limited by rlimits. */
export function openWatchdog(): Limits {
  // What is low still gets a share: it need not wait for a turn. And CPU time is seen in steps, those of short runs too.
  const way = createGivingWay({ turns: false, least: 4 * MS_PER_TICK })
  const watched = new Set<object>()
  return {
    kind: 'watchdog',
    strength: 'soft',
    cpuQuota: false,
    create: (caps) => Promise.resolve(watch(caps, way, watched)),
  }
}

/** Between two looks at most, while a run goes on and between runs, when what it left may still grow. A look costs 0.2 ms. */
const RUNNING_MS = 50
const IDLE_MS = 250
/**
 * And at least; and this many times as long as a look took, so that a sandbox with a hundred processes does not keep the server busy; and this
 * many times as long for each sandbox that there is, so that all of them do not.
 */
const SOONEST_MS = 5
const REST = 3
const REST_OF_ALL = 5
/** How fast memory was seen to be taken: 2 GB a second by each of two cores. */
const BYTES_PER_MS = 4e6
/** Of the kernel's USER_HZ, which is 100 on every architecture served here. */
const MS_PER_TICK = 10

function watch(caps: Caps, way: GivingWay, watched: Set<object>): LimitGroup {
  let launcher: number | null = null
  let timer: NodeJS.Timeout | null = null
  let running = false
  let peak: number | null = null
  let exceeded = false
  let cpuBefore = 0
  let cpuSeen = 0
  let leave: (() => boolean) | null = null
  let low = false
  const priorities = createPriorities(caps.keptLevels)
  const tree = (): TreeProcess[] => (launcher === null ? [] : processTree(launcher))
  const contender = {
    cpuMs: () => cpuSeen,
    giveWay() {
      low = true
      priorities.keep(tree(), low)
    },
    takeTurn() {
      low = false
      return priorities.restore(tree())
    },
  }

  /** @returns What is in use, in bytes. */
  function look(): number {
    if (launcher === null) return 0
    const processes = processTree(launcher)
    priorities.keep(processes, low)
    const pids = processes.map(({ pid }) => pid)
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
    const pause = Math.max(
      SOONEST_MS,
      cost * Math.max(REST, REST_OF_ALL * watched.size),
      Math.min(reached, running ? RUNNING_MS : IDLE_MS),
    )
    timer = setTimeout(watchOn, pause).unref()
  }

  return {
    join(pid) {
      launcher = pid
      watched.add(caps)
      priorities.begin(pid)
      watchOn()
      return Promise.resolve()
    },
    begin() {
      exceeded = false
      running = true
      watchOn()
      peak = null
      cpuBefore = cpuSeen
      leave = way.begin(contender)
    },
    end() {
      if (!exceeded) look()
      running = false
      const lowered = leave?.() === false
      const used = cpuSeen - cpuBefore
      // Nothing seen: it was over before the first look.
      return { cpu_ms: used > 0 ? used : null, peak_memory_bytes: peak, oom: exceeded, lowered }
    },
    async remove() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      watched.delete(caps)
      leave?.()
      // Seen before anything dies: callers ask for removal first and kill then.
      const all = tree().map(({ pid }) => pid)
      launcher = null
      // Each by itself, the launcher last: were it killed alone, what is in the sandbox would have to end by itself.
      for (const pid of all.toReversed()) kill(pid)
      // The namespace's first process is gone only after the kernel has killed all others in it.
      for (let tries = 0; all.some(alive) && tries < 500; tries++) await sleep(tries < 20 ? 1 : 10)
    },
  }
}

/** With the time of children it has waited for. */
function cpuMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + (Number(ticks) || 0), 0) * MS_PER_TICK
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const alive = (pid: number): boolean => read(`/proc/${pid}/stat`) !== ''
