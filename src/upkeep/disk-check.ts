import { statfs } from 'node:fs/promises'
import { NotReady } from '../model/pulse.ts'
import { LIMITS } from '../model/sizes.ts'

/**
 * What must be free on disks that the server writes to.
 * @param folders One on each of them, by what is told of it.
 * @param reserveBytes Default: LIMITS.diskReserveBytes.
 * @returns How much is free where least is.
 * @throws NotReady when it is less.
 */
export async function checkDisks(
  folders: Readonly<Record<string, string>>,
  reserveBytes: number = LIMITS.diskReserveBytes,
): Promise<string> {
  let least = Infinity
  for (const [name, folder] of Object.entries(folders)) {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    if (free < reserveBytes) {
      const found = `The disk of ${name} has ${mib(free)} left, and less than ${mib(reserveBytes)} is too little.`
      throw new NotReady(found, 'Free some of it, enlarge it, or let tenants keep less (`skillet tenant retention`).')
    }
    least = Math.min(least, free)
  }
  return `${mib(least)} left`
}

const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20).toLocaleString('en')} MiB`
