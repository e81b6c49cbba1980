import { readFileSync } from 'node:fs'

/**
 * Who made something that may outlive its maker: pid and the kernel's start time of that pid, so that a reused pid is not
 * taken for the maker. Legal in file names and cgroup names.
 */
export function ownerMark(pid: number = process.pid): string {
  return `${pid}-${startTime(pid) ?? 0}`
}

/** False when the process that made the mark is gone; anything that is not a mark has no living owner. */
export function ownerAlive(mark: string): boolean {
  const match = /^(\d+)-(\d+)/.exec(mark)
  if (match === null) return false
  return startTime(Number(match[1])) === Number(match[2])
}

/** Clock ticks since boot; null when there is no such process. */
function startTime(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses, which may hold anything: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : Number(fields[19])
  } catch {
    return null
  }
}
