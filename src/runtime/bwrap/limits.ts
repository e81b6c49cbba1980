import { availableParallelism } from 'node:os'

/** How memory, processes and CPU time of sandboxes are limited and measured on this machine. */
export interface Limits {
  readonly kind: 'cgroup v2' | 'cgroup v1' | 'watchdog' | 'none'
  /** `hard`: the kernel holds them. `soft`: a poll every 50 ms does. */
  readonly strength: 'hard' | 'soft' | 'none'
  /** Whether a sandbox can be kept to a number of CPUs here. */
  readonly cpuQuota: boolean
  create(caps: Caps): Promise<LimitGroup>
}

export interface Caps {
  readonly memory_bytes: number
  /** Processes and threads, with the few of the sandbox itself. */
  readonly pids: number
  /** CPUs' worth of time at the most. */
  readonly cpus: number
  /** How many levels of processes, with the first, outlive a run; null where any of them may. */
  readonly keptLevels: number | null
  /** Called when a watchdog finds too much memory in use. Cgroups act by themselves. */
  readonly onExceeded: () => void
}

/** The limits of one sandbox. */
export interface LimitGroup {
  /** Puts the process, and what it will start, under the limits. Before it has started anything. */
  join(pid: number): Promise<void>
  /**
   * Opens files that do the same for a process of one thread that writes "0" to each, in a hundredth of the time. Whoever asks closes them,
   * and sees to it that nothing else ever has them. Missing where there is only `join`.
   */
  openEntrances?(): number[]
  /** From here on usage is counted. */
  begin(): void
  /**
   * What was used since `begin`. `oom`: something was killed for memory since then. `lowered`: it had to let others go first, and what runs
   * in it from now on would have to as well.
   */
  end(): { cpu_ms: number | null; peak_memory_bytes: number | null; oom: boolean; lowered: boolean }
  /** Kills what is left in it and waits until nothing is. May be called twice. */
  remove(): Promise<void>
}

/** Share of CPU time under contention, relative to 1024 of the server itself. */
export const CPU_SHARES = 128

/**
 * What a group may use of each period, in microseconds; null where the machine has no more CPUs than that, so that there is nothing to hold.
 * The period is the kernel's own: in a shorter one a start, which keeps several threads busy for a moment, would be held up.
 */
export function cpuQuota(cpus: number): { readonly quota: number; readonly period: number } | null {
  return cpus >= availableParallelism() ? null : { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }
}

const CPU_PERIOD_US = 100_000
