import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { cpuQuota } from './limits.ts'

/** The files of one version of cgroups that share out CPU time. */
interface CpuFiles {
  readonly weight: { readonly name: string; readonly usual: number; readonly least: number }
  readonly quota: { readonly name: string; text(quota: number, period: number): string; readonly none: string }
}

/** How often a small share is in the usual one. */
const SMALL = 8
/** A quota below this is not taken, in microseconds. */
const LEAST_QUOTA = 1000

/**
 * A group that may be put behind all others: idle to the kernel, which takes the processor from it when another wakes. Before Linux 5.15
 * there is only the least share.
 * @param cpus What it may use in any case.
 */
export function cpuWeight(folder: string, files: CpuFiles, cpus: number): Omit<Contender, 'cpuMs'> {
  const write = (file: string, value: number | string): boolean => {
    try {
      writeFileSync(join(folder, file), String(value), { flag: 'r+' })
      return true
    } catch {
      return false // The kernel has no such file, or the group is gone.
    }
  }
  const { weight, quota } = files
  const hold = (most: number): boolean => {
    const held = cpuQuota(most)
    const text = held === null ? quota.none : quota.text(Math.max(LEAST_QUOTA, held.quota), held.period)
    return write(quota.name, text)
  }
  let held = false
  return {
    giveWay({ last, cpus: most }) {
      const idle = write('cpu.idle', last ? 1 : 0)
      if (!last) write(weight.name, Math.max(weight.least, Math.round(weight.usual / SMALL)))
      else if (!idle) write(weight.name, weight.least)
      if (most < cpus || held) held = hold(Math.min(most, cpus))
    },
    takeTurn() {
      // What it was before is forgotten by the kernel, and cannot be set while it is idle.
      write('cpu.idle', 0)
      const free = !held || hold(cpus)
      held = false
      return write(weight.name, weight.usual) && free
    },
  }
}
