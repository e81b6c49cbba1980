import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type TreeProcess, read } from './process-tree.ts'

/** The nice values of one sandbox's processes, where there are no cgroups. */
export interface Priorities {
  /** Lowers those that are not lowered yet; children inherit it. */
  lower(processes: readonly TreeProcess[]): void
  /** @returns False when some that outlive the run stay low: raising them takes a privilege. */
  restore(processes: readonly TreeProcess[]): boolean
}

const LOWEST = 19

/**
 * @param kept How many levels of processes outlive a run and are left as they are: those below end with it. Null when it is unknown which.
 */
export function createPriorities(kept: number | null): Priorities {
  const lowered = new Set<number>()
  const groups = new Set<string>()

  return {
    lower(processes) {
      for (const { pid, depth, threads } of processes) {
        const group = groupOf(pid)
        if (group !== null && !groups.has(group) && setGroup(pid, LOWEST)) groups.add(group)
        if (depth < (kept ?? 0)) continue
        for (const thread of threads) if (!lowered.has(thread) && renice(thread)) lowered.add(thread)
      }
    },
    restore(processes) {
      for (const { pid } of processes) {
        const group = groupOf(pid)
        if (group !== null && groups.has(group) && setGroup(pid, 0)) groups.delete(group)
      }
      const left = processes.some(({ pid }) => groups.has(groupOf(pid) ?? ''))
      const same = !left && (kept !== null || lowered.size === 0)
      groups.clear()
      lowered.clear()
      return same
    },
  }
}

function renice(thread: number): boolean {
  try {
    setPriority(thread, LOWEST)
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
