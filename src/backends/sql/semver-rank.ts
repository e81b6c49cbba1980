/**
 * A text that sorts, byte by byte, as the version does by semver precedence.
 * @param version `major.minor.patch`, perhaps with a prerelease. @throws Error when it is not one.
 */
export function semverRank(version: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(version)
  if (match === null) throw new Error(`"${version}" is not a version of the form major.minor.patch.`)
  const [, major, minor, patch, prerelease] = match
  const core = [major!, minor!, patch!].map(number).join('.')
  // A release comes after all its prereleases: "~" after "-".
  if (prerelease === undefined) return `${core}~`
  return `${core}-${prerelease.split('.').map(identifier).join('')}`
}

/** Numbers come before words; the blank that ends each is lower than any character in one, so that a longer list comes later. */
function identifier(text: string): string {
  return /^\d+$/.test(text) ? `0${number(text)} ` : `1${text} `
}

/** Its length in three digits, then the number: a longer one is larger. */
function number(digits: string): string {
  return String(digits.length).padStart(3, '0') + digits
}
