import { statSync, statfsSync } from 'node:fs'
import { read } from './process-tree.ts'

/**
 * What the processes of one sandbox hold of the machine's memory, in bytes, without what they share with others: anonymous and shared pages,
 * page tables, the inodes of its own file systems, whose contents have a size of their own, and what its sockets may keep in the kernel, where
 * it has more of them than programs need. Counted cheaply, which takes pages of forked processes for several; by shares, which is slower,
 * where that comes to more than the limit.
 */
export function sandboxMemory(pids: readonly number[], limit: number): number {
  const unmapped = inodeBytes(pids.at(-1)) + socketBytes(pids.at(-1))
  const sum = (bytes: (pid: number) => number): number => pids.reduce((all, pid) => all + bytes(pid), unmapped)
  const most = sum(cheaply)
  return most <= limit ? most : sum(byShares)
}

function cheaply(pid: number): number {
  return kilobytes(read(`/proc/${pid}/status`), ['RssAnon', 'RssShmem', 'VmPTE']) * 1024
}

function byShares(pid: number): number {
  const shares = read(`/proc/${pid}/smaps_rollup`)
  // Gone, or closed to us: whoever hides its shares has all of its pages counted.
  if (shares === '') return cheaply(pid)
  const pages = kilobytes(shares, ['Pss_Anon', 'Pss_Shmem'])
  return (pages + kilobytes(read(`/proc/${pid}/status`), ['VmPTE'])) * 1024
}

function kilobytes(text: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0), 0)
}

/** As the kernel itself counts them where it limits their number. */
const INODE_BYTES = 1024
const TMPFS = 0x01021994

/** Empty files take memory too, and no room on the file system. */
function inodeBytes(pid: number | undefined): number {
  if (pid === undefined) return 0
  const root = `/proc/${pid}/root`
  const counts = ['scratch', 'tmp', 'dev/shm'].map((name) => inodes(`${root}/${name}`, `/${name}`))
  // A tool's /tmp lies in its /scratch.
  const [scratch, tmp, shm] = counts as [number | null, number | null, number | null]
  return ((scratch ?? tmp ?? 0) + (shm ?? 0)) * INODE_BYTES
}

/** Null where there is no such file system, or while it is still the host's. */
function inodes(path: string, onHost: string): number | null {
  try {
    const device = statSync(onHost, { throwIfNoEntry: false })?.dev
    if (statSync(path).dev === device) return null
    const { type, files, ffree } = statfsSync(path)
    return type === TMPFS ? files - ffree : null
  } catch {
    return null // The process is gone, or its root is not made yet.
  }
}

/** As many as one with all connections that it may have has: both ends are in its network. */
const FREE_SOCKETS = 300
/** What waits in one, as Linux has it where nobody changed that: nobody tells how much it really is. */
const SOCKET_BYTES = 212_992

/** Those count, too, that were closed while they were on their way to another process. */
function socketBytes(pid: number | undefined): number {
  if (pid === undefined || !ownNetwork(pid)) return 0
  const used = Number(/^sockets: used (\d+)$/m.exec(read(`/proc/${pid}/net/sockstat`))?.[1] ?? 0)
  return Math.max(0, used - FREE_SOCKETS) * SOCKET_BYTES
}

/** While it is still the host's it counts the host's sockets. */
function ownNetwork(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino !== statSync('/proc/self/ns/net').ino
  } catch {
    return false // The process is gone.
  }
}
