import { totalmem } from 'node:os'

/** The memory that this process and its children can have, in MB: the machine's, or less where a cgroup says so. */
export function machineMemoryMb(): number {
  // Where nothing is said, some systems answer 0 and others more than there is.
  const said = process.constrainedMemory()
  return Math.floor((said > 0 ? Math.min(said, totalmem()) : totalmem()) / 2 ** 20)
}
