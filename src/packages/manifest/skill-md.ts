import type { SkillMd } from '../../model/packages.ts'
import { LIMITS } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import type { Findings, RuleId } from '../rules.ts'
import { brief } from './fields.ts'
import { splitFrontmatter } from './frontmatter.ts'
import { closestKey } from './known-keys.ts'
import type { PackageContext } from './package-context.ts'
import { readText } from './text.ts'
import { parseYaml, type YamlMap } from './yaml.ts'

/** The six fields of the open specification. */
const KEYS = ['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools']
const MOST_BODY_LINES = 500

/** A SKILL.md whose name and description can be used. Null: they cannot; the findings say why. */
export interface SkillMdFace {
  readonly name: string
  readonly description: string
  readonly skill_md: SkillMd
}

export function readSkillMd(at: PackageContext, file: string, findings: Findings): SkillMdFace | null {
  if (file !== 'SKILL.md') {
    findings.add('skill_md.portability', `Many agents look for "SKILL.md" only; this file is named "${file}".`, file)
  }
  const text = readText(at.dir, file, LIMITS.skillMdBytes, findings)
  if (text === null) return null
  const split = splitFrontmatter(text)
  if (split === null) {
    const what = text.startsWith('---')
      ? 'The frontmatter is not closed by a line "---".'
      : 'The file does not begin with a line "---".'
    findings.add('skill_md.frontmatter', what, file, 1)
    return null
  }
  if (Buffer.byteLength(split.frontmatter) > LIMITS.frontmatterBytes) {
    findings.add('manifest.too_large', `The frontmatter has more than ${LIMITS.frontmatterBytes} bytes.`, file, 1)
    return null
  }
  checkBody(split, file, findings)
  const map = parseYaml(split.frontmatter, file, 2, findings)
  if (map === null) return null
  const name = readName(map, findings)
  const description = readDescription(map, findings)
  checkOthers(map, findings)
  if (name === null || description === null) return null
  return { name, description, skill_md: { frontmatter: map.values, body: split.body } }
}

function checkBody(
  { frontmatter, body }: { frontmatter: string; body: string },
  file: string,
  findings: Findings,
): void {
  const lines = body.split(/\r\n|\n|\r/).length
  const first = frontmatter.split(/\r\n|\n|\r/).length + 2
  if (body.trim() === '') findings.add('skill_md.empty_body', 'There is nothing below the frontmatter.', file, first)
  if (lines > MOST_BODY_LINES) findings.add('skill_md.long_body', `The body has ${lines} lines.`, file, first)
}

function readName(map: YamlMap, findings: Findings): string | null {
  const value = own(map, 'name')
  const name = typeof value === 'string' ? value.trim().normalize('NFKC') : null
  if (name === null || !Name.safeParse(name).success) {
    const what = value === undefined ? 'There is no name.' : `The name ${brief(value)} cannot be used.`
    findings.add('skill_md.name', what, map.file, map.lineOf('name') ?? 1)
    return null
  }
  if (/anthropic|claude/.test(name)) {
    findings.add(
      'skill_md.portability',
      `The name "${name}" holds a word that the Claude API reserves.`,
      map.file,
      map.lineOf('name'),
    )
  }
  return name
}

function readDescription(map: YamlMap, findings: Findings): string | null {
  const value = own(map, 'description')
  const description = typeof value === 'string' ? value.trim() : ''
  // Counted in characters, as the specification does: one emoji is one.
  const length = Array.from(description).length
  if (length === 0 || length > 1024) {
    const what =
      value === undefined
        ? 'There is no description.'
        : length === 0
          ? 'The description is not a text.'
          : `The description has ${length} characters.`
    findings.add('skill_md.description', what, map.file, map.lineOf('description') ?? 1)
    return null
  }
  if (/[<>]/.test(description)) {
    findings.add(
      'skill_md.portability',
      'The description holds "<" or ">", which claude.ai refuses.',
      map.file,
      map.lineOf('description'),
    )
  }
  return description
}

function checkOthers(map: YamlMap, findings: Findings): void {
  const add = (rule: RuleId, key: string, message: string): void =>
    findings.add(rule, message, map.file, map.lineOf(key))
  for (const key of Object.keys(map.values)) {
    if (KEYS.includes(key)) continue
    const meant = closestKey(key, KEYS)
    add(
      'skill_md.unknown_key',
      key,
      `${brief(key)} is not in the open specification.${meant === null ? '' : ` Did you mean "${meant}"?`}`,
    )
  }
  const license = own(map, 'license')
  if (license !== undefined && typeof license !== 'string')
    add('skill_md.field', 'license', `license is ${brief(license)}, not a text.`)
  const compatibility = own(map, 'compatibility')
  const length = typeof compatibility === 'string' ? Array.from(compatibility.trim()).length : 0
  if (compatibility !== undefined && (length === 0 || length > 500)) {
    add(
      'skill_md.field',
      'compatibility',
      `compatibility must be a text of 1 to 500 characters; it is ${brief(compatibility)}.`,
    )
  }
  const tools = own(map, 'allowed-tools')
  if (Array.isArray(tools))
    add('skill_md.portability', 'allowed-tools', 'allowed-tools is a list; the specification has one text with spaces.')
  else if (tools !== undefined && typeof tools !== 'string')
    add('skill_md.field', 'allowed-tools', `allowed-tools is ${brief(tools)}, not a text.`)
  checkMetadata(own(map, 'metadata'), add)
}

function checkMetadata(metadata: unknown, add: (rule: RuleId, key: string, message: string) => void): void {
  if (metadata === undefined) return
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    return add('skill_md.field', 'metadata', `metadata is ${brief(metadata)}, not a table.`)
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string')
      add(
        'skill_md.portability',
        'metadata',
        `metadata.${key.slice(0, 60)} is ${brief(value)}; the specification has texts only: quote it.`,
      )
  }
}

const own = (map: YamlMap, key: string): unknown => (Object.hasOwn(map.values, key) ? map.values[key] : undefined)
