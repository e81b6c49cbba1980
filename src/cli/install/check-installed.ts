import { filesInFolder } from '../../packages/verify-files.ts'
import { type TrustedKey, verifySignature } from '../../model/signatures.ts'
import { packageDigest } from '../../packages/digest.ts'
import { differencesFrom } from './compare.ts'
import type { InstalledSkill } from './installed.ts'
import { lookAt, placeAt } from './place.ts'

export interface CheckedSkill {
  readonly path: string
  readonly skill: string
  readonly version: string
  readonly digest: string
  readonly key: string
  /** What is wrong; empty: nothing. */
  readonly faults: readonly string[]
}

/**
 * Whether the files of an installed skill are those of the lock file, and those were signed.
 * @param keys Whom to trust. Null: the key that the lock file names, which is trusted since it was installed.
 */
export async function checkInstalled(
  project: string,
  [path, locked]: InstalledSkill,
  keys: readonly TrustedKey[] | null,
): Promise<CheckedSkill> {
  const { skill, version, digest, key } = locked
  const place = placeAt(project, path)
  const faults: string[] = []
  if (await lookAt(place)) faults.push(...differencesFrom(locked, await filesInFolder(place.folder)))
  else faults.push('it is not there')
  return { path, skill, version, digest, key: key.id, faults: [...faults, ...signatureFaults(locked, keys)] }
}

/** The lock file says what was signed, and nothing else. */
function signatureFaults(locked: InstalledSkill[1], keys: readonly TrustedKey[] | null): string[] {
  const { skill, version, digest, files } = locked
  if (packageDigest(files) !== digest) return ['the files in the lock file do not have the digest that it names']
  const result = verifySignature(locked.signature, keys ?? [locked.key], digest)
  if ('fault' in result) return [result.fault.replace(/\.$/, '')]
  const signed = result.statement.predicate
  if (signed.skill === skill && signed.version === version) return []
  return [`it was signed as ${signed.skill} ${signed.version}`]
}
