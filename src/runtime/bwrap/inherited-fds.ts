import { closeSync, readdirSync, readFileSync } from 'node:fs'

/**
 * Closes file descriptors that this process was started with and that a child would get too: Node opens its own with
 * close-on-exec, so one above 2 without that flag came from whoever started the server. Call it first thing in the server's
 * entry, before anything is opened by native code; not in a test runner's worker, whose own channel looks the same.
 * @returns The descriptors closed.
 */
export function closeInheritedFds(): number[] {
  const closed: number[] = []
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const fd = Number(name)
    if (fd <= 2 || !survivesExec(fd)) continue
    try {
      closeSync(fd)
      closed.push(fd)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error
    }
  }
  return closed
}

const O_CLOEXEC = 0o2000000

function survivesExec(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))
    return flags !== null && (Number.parseInt(flags[1]!, 8) & O_CLOEXEC) === 0
  } catch {
    return false // The descriptor of the listing itself is gone by now.
  }
}
