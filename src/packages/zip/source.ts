import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes of an archive by position. Synchronous: it is read in a thread of its own. */
export interface Source {
  readonly fd: number
  readonly size: number
  /** Fewer bytes than asked for at the end of the file, none before its beginning. */
  read(position: number, length: number): Buffer
  close(): void
}

export function openSource(path: string): Source {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  const { size } = fstatSync(fd)
  return {
    fd,
    size,
    read(position, length) {
      const wanted = position < 0 ? 0 : Math.max(0, Math.min(length, size - position))
      const buffer = Buffer.alloc(wanted)
      let filled = 0
      while (filled < wanted) {
        const count = readSync(fd, buffer, filled, wanted - filled, position + filled)
        if (count === 0) break
        filled += count
      }
      return buffer.subarray(0, filled)
    },
    close: () => closeSync(fd),
  }
}
