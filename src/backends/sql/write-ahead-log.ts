import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Where SQLite writes what is committed, before it comes into the database itself. */
export interface WriteAheadLog {
  /** Resolves when all that was written to it before this call is on disk. */
  sync(): Promise<void>
  close(): void
}

/**
 * The log of a database that is open and was written to. SQLite could sync it with each commit, but would hold up the main thread for that;
 * here one of Node's threads waits for the disk. SQLite keeps its locks elsewhere: this descriptor can be closed without losing them.
 * @param database Path of the database.
 */
export function openWriteAheadLog(database: string): WriteAheadLog {
  const file = openSync(`${database}-wal`, 'r')
  syncFolder(dirname(database))
  return {
    sync() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      fdatasync(file, (error) => (error === null ? resolve() : reject(error)))
      return promise
    },
    close: () => closeSync(file),
  }
}

/** SQLite makes the log anew each time that a database is opened: its name has to be on disk as well, or what is in it is found by nobody. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
