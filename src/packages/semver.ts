import { gt, inc, valid } from 'semver'
import { SkilletError } from '../model/errors.ts'
import type { ChangeLevel } from '../model/skills.ts'

/** The version of the first package of a skill. */
const FIRST = '0.1.0'

/** The next version for a change of this level; the first one when there is none yet. A pre-release counts up to its release. */
export function bumpVersion(last: string | null, bump: ChangeLevel): string {
  if (last === null) return FIRST
  return inc(parse(last), bump)!
}

/** @throws SkilletError version_invalid when one of them is not semver. */
export function isHigher(version: string, than: string): boolean {
  return gt(parse(version), parse(than))
}

function parse(version: string): string {
  // Strictly as written: "v1.2.3" and "1.2" would otherwise be two spellings of one version.
  if (valid(version) !== version) {
    throw new SkilletError('version_invalid', `"${version}" is not a version of the form major.minor.patch.`)
  }
  return version
}
