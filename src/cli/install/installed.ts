import { usageError } from '../cli-error.ts'
import type { Lock, LockedSkill } from './lock-file.ts'
import { placeFor } from './place.ts'

/** A skill of the lock file, and where it lies. */
export type InstalledSkill = readonly [path: string, locked: LockedSkill]

/**
 * What is meant of what is installed.
 * @param skill Undefined: all. @param to Only there. Default: wherever it is.
 * @throws CliError when that is nothing
 */
export function installedSkills(project: string, lock: Lock, skill?: string, to?: string): InstalledSkill[] {
  const all = Object.entries(lock)
  const found =
    skill === undefined
      ? all
      : to === undefined
        ? all.filter(([, locked]) => locked.skill === skill)
        : all.filter(([path]) => path === placeFor(project, to, skill).path)
  if (found.length > 0) return found
  const what = skill === undefined ? 'Nothing is installed' : `"${skill}" is not installed`
  throw usageError(
    `${what} in ${project}.`,
    'Install it with "skillet install <skill>", or run this in the folder of the project.',
  )
}
