/** A file or folder of a skill as a URI names it: `skill://<tenant>/<skill>/<path>`. */
export interface SkillPlace {
  /** Name of the tenant whose skill it is. */
  readonly tenant: string
  /** Its name. */
  readonly skill: string
  /** Relative to the skill's folder, which is the empty one. */
  readonly path: string
}

/** The one spelling of a place's URI. */
export function skillUri({ tenant, skill, path }: SkillPlace): string {
  const root = `skill://${tenant}/${skill}`
  return path === '' ? root : `${root}/${path.split('/').map(encoded).join('/')}`
}

/** What the URI names; null where it is none of a skill, or not in its one spelling: nothing is made of dots, encoded slashes and the like. */
export function placeOf(uri: string): SkillPlace | null {
  const match = /^skill:\/\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})(?:\/(.+))?$/.exec(uri)
  if (match === null) return null
  const [, tenant = '', skill = '', rest = ''] = match
  const place = { tenant, skill, path: decoded(rest) }
  if (rest !== '' && place.path.split('/').some((segment) => /^\.{0,2}$/.test(segment))) return null
  return skillUri(place) === uri ? place : null
}

/** Just what WHATWG's URLs leave as it is in a path may stay, so that every reader of URLs gives back what it got. */
const encoded = (segment: string): string => segment.replaceAll(/[^\w!$&'()*+,.:;=@[\]|~-]/gu, escaped)

/** A lone half of a character is in no URI. */
const escaped = (character: string): string => encodeURIComponent(character.toWellFormed())

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}
