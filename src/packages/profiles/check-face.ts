import { brief } from '../manifest/fields.ts'
import type { YamlMap } from '../manifest/yaml.ts'
import type { Findings } from '../rules.ts'

const MOST_NAME = 64
const MOST_DESCRIPTION = 1024

/** The name as it is compared: without spaces around it, in composed form. Null: it is no text. */
export function nameOf(map: YamlMap): string | null {
  const value = own(map, 'name')
  return typeof value === 'string' ? value.trim().normalize('NFKC') : null
}

/** Null: it is no text, or says nothing. */
export function descriptionOf(map: YamlMap): string | null {
  const value = own(map, 'description')
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? null : text
}

/** Counted in characters, as the specification does: one emoji is one. */
export const isTooLong = (description: string): boolean => Array.from(description).length > MOST_DESCRIPTION

/** @param folder What the skill's folder is named; null where there is none to compare with. */
export function checkName(map: YamlMap, folder: string | null, findings: Findings): void {
  const { file } = map
  const value = own(map, 'name')
  if (value === undefined) return findings.add('skill_md.no_name', 'There is no name.', file, 1, 1)
  const at = map.valueAt('name')
  const name = nameOf(map)
  const shown = brief(name ?? value)
  for (const what of name === null
    ? [`is ${typeof value === 'string' ? 'empty' : 'not a text: quote it'}`]
    : faults(name))
    findings.add('skill_md.name', `The name ${shown} ${what}.`, file, at?.line, at?.column)
  if (name === null) return
  if (/[^\p{ASCII}]/u.test(name)) {
    const message = `The name ${shown} has letters or digits beyond a to z and 0 to 9.`
    findings.add('skill_md.name_not_ascii', message, file, at?.line, at?.column)
  }
  if (/anthropic|claude/.test(name)) {
    const message = `The name ${shown} holds a word that the Claude API reserves.`
    findings.add('skill_md.name_reserved', message, file, at?.line, at?.column)
  }
  if (folder !== null && folder.normalize('NFKC') !== name) {
    const message = `The folder name '${folder.slice(0, 80)}' must match the skill name '${name.slice(0, 80)}' in SKILL.md.`
    findings.add('skill_md.name_folder', message, file, at?.line, at?.column)
  }
}

/** The reference validator's rules: letters and digits of any script count as such. */
function faults(name: string): string[] {
  if (name === '') return ['is empty']
  const length = Array.from(name).length
  const capitals = name !== name.toLowerCase()
  const hyphens = name.startsWith('-') || name.endsWith('-')
  return [
    ...(length > MOST_NAME ? [`exceeds ${MOST_NAME} characters: it has ${length}`] : []),
    ...(capitals ? ['must be lowercase'] : []),
    ...(hyphens ? ['cannot start or end with a hyphen'] : []),
    ...(name.includes('--') ? ['has consecutive hyphens'] : []),
    ...(/[^\p{L}\p{N}-]/u.test(name) ? ['has characters that are no letters, digits or hyphens'] : []),
  ]
}

export function checkDescription(map: YamlMap, findings: Findings): void {
  const { file } = map
  const value = own(map, 'description')
  if (value === undefined) return findings.add('skill_md.no_description', 'There is no description.', file, 1, 1)
  const at = map.valueAt('description')
  const description = descriptionOf(map)
  if (description === null) {
    const message = `The description is ${typeof value === 'string' ? 'empty' : `${brief(value)}, not a text: quote it`}.`
    return findings.add('skill_md.description', message, file, at?.line, at?.column)
  }
  if (isTooLong(description)) {
    const { length } = Array.from(description)
    const message = `The description exceeds ${MOST_DESCRIPTION} characters: it has ${length}.`
    findings.add('skill_md.description', message, file, at?.line, at?.column)
  }
  if (/[<>]/.test(description)) {
    const message = 'The description holds "<" or ">", which claude.ai refuses.'
    findings.add('skill_md.description_markup', message, file, at?.line, at?.column)
  }
}

export const own = (map: YamlMap, key: string): unknown =>
  Object.hasOwn(map.values, key) ? map.values[key] : undefined
