import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type TreeProcess, read } from './process-tree.ts'

/** The nice values of one sandbox's processes, where there are no cgroups. */
export interface Priorities {
  /** Puts its first process, which has started nothing yet, behind the server, and so all that it will start. */
  begin(pid: number): void
  /** Looks after those that came since: behind the server or, when `low`, behind all sandboxes that are not. */
  keep(processes: readonly TreeProcess[], low: boolean): void
  /** @returns False when some that outlive the run stay low: raising them takes a privilege. */
  restore(processes: readonly TreeProcess[]): boolean
}

/** The server has 0. */
const USUAL = 5
const LOWEST = 15

/**
 * @param kept How many levels of processes outlive a run and are left as they are: those below end with it. Null when it is unknown which.
 */
export function createPriorities(kept: number | null): Priorities {
  const lowered = new Set<number>()
  /** What their sessions have, and processes whose sessions are known to have that. */
  let groups = { nice: USUAL, done: new Set<string>(), members: new Set<number>() }

  function regroup(processes: readonly TreeProcess[], nice: number): void {
    if (groups.nice !== nice) groups = { nice, done: new Set(), members: new Set() }
    for (const { pid, depth } of processes) {
      if (groups.members.has(pid)) continue
      const group = groupOf(pid)
      if (group !== null && !groups.done.has(group) && !setGroup(pid, nice)) continue
      if (group !== null) groups.done.add(group)
      // What a run starts may begin a session of its own.
      if (depth < (kept ?? 0)) groups.members.add(pid)
    }
  }

  return {
    begin: (pid) => void renice(pid, USUAL),
    keep(processes, low) {
      regroup(processes, low ? LOWEST : USUAL)
      if (!low) return
      for (const { depth, threads } of processes) {
        if (depth < (kept ?? 0)) continue
        for (const thread of threads) if (!lowered.has(thread) && renice(thread, LOWEST)) lowered.add(thread)
      }
    },
    restore(processes) {
      // Where that is refused now it is done at one of the next looks.
      regroup(processes, USUAL)
      const raised = kept !== null || lowered.size === 0
      lowered.clear()
      return raised
    },
  }
}

function renice(thread: number, nice: number): boolean {
  try {
    setPriority(thread, nice)
    return true
  } catch {
    return false // It is gone.
  }
}

/**
 * Where the kernel shares time out by sessions first (`sched_autogroup_enabled`) a nice value counts within its session only, and the session
 * has one of its own, which may be raised again. Null for that of the server, where the launcher is.
 */
function groupOf(pid: number | 'self'): string | null {
  const group = /^\/autogroup-\d+/.exec(read(`/proc/${pid}/autogroup`))?.[0] ?? null
  if (pid === 'self') return group
  own ??= groupOf('self')
  return group === own ? null : group
}
let own: string | null = null

/** @returns False where it may not be, or not yet: an ordinary user may change one group in a tenth of a second. */
function setGroup(pid: number, nice: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice), { flag: 'r+' })
    return true
  } catch {
    return false
  }
}
