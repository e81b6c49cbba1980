import { type FilesAtHand, filesInFolder } from '../../packages/verify-files.ts'
import { cleanText } from '../clean-text.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import type { LockedSkill } from './lock-file.ts'
import { type Place, lookAt } from './place.ts'

/** What a folder has that differs from what was installed into it, in words; empty: nothing. */
export function differencesFrom(locked: Pick<LockedSkill, 'files'>, { files, faults }: FilesAtHand): string[] {
  const expected = new Map(locked.files.map((file) => [file.path, file]))
  const found: string[] = []
  for (const { path, sha256, executable } of files) {
    const file = expected.get(path)
    expected.delete(path)
    if (file === undefined) found.push(`"${path}" was added`)
    else if (file.sha256 !== sha256) found.push(`"${path}" was changed`)
    else if (file.executable !== executable) found.push(`"${path}" is ${executable ? '' : 'not '}executable now`)
  }
  return [...found, ...[...expected.keys()].map((path) => `"${path}" is missing`), ...faults]
}

/**
 * Nothing is overwritten or removed that was not installed as it is.
 * @param locked What was installed there; undefined: nothing of ours.
 * @returns The digest of what is there; null: nothing is. @throws CliError which names what would be lost, unless `force`
 */
export async function requireOurs(
  place: Place,
  locked: LockedSkill | undefined,
  options: {
    readonly force: boolean
    /** What may be there already, though we know nothing of it. */ readonly digest?: string
  },
): Promise<string | null> {
  if (!(await lookAt(place))) return null
  const atHand = await filesInFolder(place.folder)
  if (options.force || (atHand.digest === options.digest && atHand.faults.length === 0)) return atHand.digest
  if (locked === undefined) {
    throw new CliError(EXIT.failed, `There is a folder ${place.path} already, which was not installed by Skillet.`, {
      fix: 'Move it away, or let it be overwritten with --force.',
    })
  }
  const differences = differencesFrom(locked, atHand)
  if (differences.length === 0) return atHand.digest
  throw new CliError(EXIT.failed, `${place.path} was changed since ${locked.skill} ${locked.version} was installed.`, {
    why: `${cleanText(differences.slice(0, 20).join('; '))}.`,
    fix: 'Keep the changes elsewhere, or let them be lost with --force.',
    data: { differences },
  })
}
