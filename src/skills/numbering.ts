import semver from 'semver'
import { SkilletError } from '../model/errors.ts'
import type { ChangeLevel } from '../model/skills.ts'

/** What decides the number of a package that has none yet. */
export interface NumberingFacts {
  /** The highest version the skill has; null for its first. */
  readonly highest: string | null
  /** What the manifest declares. */
  readonly declared: string | null
  /** What the owner asked for. */
  readonly version?: string | undefined
  readonly bump?: ChangeLevel | undefined
  /** Which part goes up when nothing else decides. */
  readonly change_level: ChangeLevel
}

/**
 * The number of a new version: the one asked for; else the last one bumped as asked; else the manifest's, if it is higher than the
 * last; else the last one bumped by the change level. A first version is the manifest's, or 1.0.0.
 * @throws SkilletError version_invalid
 */
export function nextVersion(facts: NumberingFacts): string {
  const { highest, declared, version, bump, change_level } = facts
  if (version !== undefined) return higher(version, highest)
  if (highest === null) return usable(declared) ?? '1.0.0'
  if (bump !== undefined) return raise(highest, bump)
  const own = usable(declared)
  return own !== null && semver.gt(own, highest) ? own : raise(highest, change_level)
}

function higher(version: string, highest: string | null): string {
  if (usable(version) === null) {
    throw new SkilletError('version_invalid', `"${version}" is not a version of the form major.minor.patch.`)
  }
  if (highest !== null && !semver.gt(version, highest)) {
    throw new SkilletError('version_invalid', `Version ${version} is not higher than ${highest}, the last one.`, {
      data: { highest },
    })
  }
  return version
}

/** Null unless it is written exactly as semver writes it: no `v`, no build metadata (which would not count in comparisons). */
function usable(version: string | null): string | null {
  return version !== null && semver.valid(version) === version ? version : null
}

function raise(version: string, level: ChangeLevel): string {
  const next = semver.inc(version, level)
  if (next === null) throw new Error(`Version ${version} cannot be raised.`)
  return next
}
