import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whether other users can read a folder and all above it: a clone in /root they cannot. */
export function othersReach(folder: string): boolean {
  return (statSync(folder).mode & 0o005) === 0o005 && (folder === '/' || othersReach(dirname(folder)))
}
