import { parse } from 'yaml'
import { brief } from '../manifest/fields.ts'
import type { Written } from '../manifest/yaml-places.ts'
import type { YamlMap } from '../manifest/yaml.ts'
import { nameOf, own } from '../profiles/check-face.ts'
import type { Edit } from './edits.ts'
import type { Reading } from './fixed-file.ts'

const SCALARS = new Set<Written['style']>(['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'])

/** Values whose right form follows from what they say. */
export function fixValues({ document: { map, split }, found }: Reading): Edit[] {
  if (map === null || split === null) return []
  const edits = [
    ...quoteTexts(map, split.frontmatter),
    ...fixName(map),
    ...trimDescription(map, split.frontmatter),
    ...(found.has('skill_md.tools_list') ? joinTools(map, split.frontmatter) : []),
    ...(found.has('skill_md.tools_commas') ? dropCommas(map, split.frontmatter) : []),
    ...(found.has('skill_md.metadata_text') ? quoteMetadata(map, split.frontmatter) : []),
  ]
  const from = split.frontmatterAt
  return edits.map((edit) => ({ ...edit, start: edit.start + from, end: edit.end + from }))
}

/** Capitals, underscores and spaces. */
function fixName(map: YamlMap): Edit[] {
  const written = map.written('name')
  const name = nameOf(map)
  if (written === null || name === null || !SCALARS.has(written.style)) return []
  const fixed = name
    .toLowerCase()
    .replaceAll(/[\s_.]/g, '-')
    .replaceAll(/-{2,}/g, '-')
    .replaceAll(/^-|-$/g, '')
  if (fixed === own(map, 'name') || !/^[\p{L}\p{N}-]+$/u.test(fixed)) return []
  return [
    { ...written, text: asText(fixed), what: `the name ${brief(own(map, 'name'))} becomes "${fixed.slice(0, 80)}"` },
  ]
}

/** Numbers, dates and truths where a text is meant. */
function quoteTexts(map: YamlMap, source: string): Edit[] {
  return ['name', 'description', 'license', 'compatibility'].flatMap((key) => {
    const value = own(map, key)
    return typeof value === 'number' || typeof value === 'boolean' ? quoted(map, source, [key]) : []
  })
}

function quoteMetadata(map: YamlMap, source: string): Edit[] {
  const metadata = own(map, 'metadata')
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return []
  return Object.entries(metadata).flatMap(([key, value]) =>
    typeof value === 'string' ? [] : quoted(map, source, ['metadata', key]),
  )
}

/** As it is written, so that 1.0 does not become 1. */
function quoted(map: YamlMap, source: string, path: string[]): Edit[] {
  const written = map.written(...path)
  if (written === null || written.style !== 'PLAIN') return []
  const { start, end } = written
  const space = /[\s[{]/.test(source.charAt(start - 1)) ? '' : ' '
  const text = space + JSON.stringify(source.slice(start, end))
  return [{ start, end, text, what: `${path.join('.').slice(0, 80)} is in quotes` }]
}

function trimDescription(map: YamlMap, source: string): Edit[] {
  const written = map.written('description')
  const value = own(map, 'description')
  if (written === null || typeof value !== 'string' || value === value.trim() || !written.style.startsWith('QUOTE'))
    return []
  const { start, end } = written
  const mark = source.charAt(start)
  const text = mark + source.slice(start + 1, end - 1).trim() + mark
  if (read(text) !== value.trim()) return []
  return [{ start, end, text, what: 'spaces around the description are gone' }]
}

const TOOL = /^[\w.:-]{1,200}(?:\([^()\r\n]{0,500}\))?$/

/** One line, if every entry can stand in it, and no comment is lost. */
function joinTools(map: YamlMap, source: string): Edit[] {
  const tools = own(map, 'allowed-tools')
  const written = map.written('allowed-tools')
  if (written === null || !Array.isArray(tools) || !tools.every((one) => typeof one === 'string' && TOOL.test(one)))
    return []
  const { start, end, keyEnd } = written
  const list = source.slice(start, end)
  if (!/^\s*:\s*$/.test(source.slice(keyEnd, start)) || list.includes('#')) return []
  const text = `: ${asText(tools.join(' '))}`
  return [{ start: keyEnd, end: start + list.trimEnd().length, text, what: 'allowed-tools is one text' }]
}

/** Outside brackets. */
function dropCommas(map: YamlMap, source: string): Edit[] {
  const written = map.written('allowed-tools')
  if (written === null || !SCALARS.has(written.style)) return []
  const { start, end } = written
  const text = source.slice(start, end).replaceAll(/(\([^()]*\))|,[ \t]*/g, (_, kept?: string) => kept ?? ' ')
  return [{ start, end, text, what: 'allowed-tools has spaces instead of commas' }]
}

/** In quotes where YAML would take it for something else. */
const asText = (text: string): string => (read(text) === text ? text : JSON.stringify(text))

function read(text: string): unknown {
  try {
    return parse(text)
  } catch {
    // No YAML at all: it needs quotes.
    return undefined
  }
}
