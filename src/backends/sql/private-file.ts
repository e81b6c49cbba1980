import { closeSync, openSync } from 'node:fs'

/**
 * Makes an empty file that only its owner can read; SQLite gives its side files the mode of the main one.
 * Never opens one that exists: closing any descriptor of a file drops the locks that this very process holds on it.
 */
export function makePrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
