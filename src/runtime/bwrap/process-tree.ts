import { readFileSync, readdirSync } from 'node:fs'

export interface TreeProcess {
  readonly pid: number
  /** Below the root, which is at 0. */
  readonly depth: number
  readonly threads: readonly number[]
}

/** The process and all below it, parents first: a sandbox's processes cannot leave this tree, their namespace's first process inherits orphans. */
export function processTree(root: number): TreeProcess[] {
  const all: TreeProcess[] = [{ pid: root, depth: 0, threads: threads(root) }]
  for (const { pid, depth, threads: own } of all) {
    // A child is listed under the thread that made it.
    for (const thread of own) {
      for (const child of read(`/proc/${pid}/task/${thread}/children`).split(' ')) {
        if (child !== '') all.push({ pid: Number(child), depth: depth + 1, threads: threads(Number(child)) })
      }
    }
  }
  return all
}

function threads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return [] // The process is gone.
  }
}

/** A file of /proc; empty when the process is gone. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
