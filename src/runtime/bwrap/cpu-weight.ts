import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from './giving-way.ts'

/** Where a group's share of CPU time is written, what it usually is, and the least that can be. */
export interface WeightFile {
  readonly name: 'cpu.shares' | 'cpu.weight'
  readonly usual: number
  readonly least: number
}

/**
 * A group that may be put behind all others: idle to the kernel, which takes the processor from it at once when another wakes. Before
 * Linux 5.15 there is only the least share.
 */
export function cpuWeight(folder: string, { name, usual, least }: WeightFile): Omit<Contender, 'cpuMs'> {
  const write = (file: string, value: number): boolean => {
    try {
      writeFileSync(join(folder, file), String(value), { flag: 'r+' })
      return true
    } catch {
      return false // The kernel has no such file, or the group is gone.
    }
  }
  return {
    giveWay() {
      if (!write('cpu.idle', 1)) write(name, least)
    },
    takeTurn() {
      // What it was before is forgotten by the kernel, and cannot be set while it is idle.
      write('cpu.idle', 0)
      return write(name, usual)
    },
  }
}
