import { setTimeout as sleep } from 'node:timers/promises'
import { read } from './process-tree.ts'

/**
 * Resolves once a sandbox ends with this process, however this one ends, or when it has ended. bubblewrap's outer process asks for that
 * before it lets the inner one go on; but the inner one, the sandbox's first process, asks for it only after it has started the command. On
 * a busy machine that may have begun by then. After asking it puts itself under the system call filter, which can be seen.
 * @param outer The process that this one has started.
 */
export async function tied(outer: number): Promise<void> {
  const own = filters('self')
  for (let tries = 0; ; tries++) {
    const [inner = ''] = read(`/proc/${outer}/task/${outer}/children`).split(' ')
    const count = inner === '' ? null : filters(inner)
    // Gone; or a kernel that does not tell.
    if (count === null || own === null || count > own) return
    // Nothing tells when it does; it has next to nothing to do until then.
    await sleep(tries < 20 ? 1 : 10)
  }
}

/** How many system call filters a process is under. Older kernels tell only whether it is under any. */
function filters(pid: string): number | null {
  const status = read(`/proc/${pid}/status`)
  const [, mode] = /^Seccomp:\s*(\d+)$/m.exec(status) ?? []
  const [, count] = /^Seccomp_filters:\s*(\d+)$/m.exec(status) ?? []
  if (count !== undefined) return Number(count)
  // Of a server that is under one itself nothing can be said then.
  return mode === undefined || (pid === 'self' && mode !== '0') ? null : Number(mode)
}
