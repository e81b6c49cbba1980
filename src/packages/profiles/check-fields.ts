import { brief } from '../manifest/fields.ts'
import type { YamlMap } from '../manifest/yaml.ts'
import type { Findings, RuleId } from '../rules.ts'
import { own } from './check-face.ts'

const MOST_COMPATIBILITY = 500

/** The four fields that a skill may have besides name and description. */
export function checkFields(map: YamlMap, findings: Findings): void {
  const add = (rule: RuleId, path: string[], message: string): void => {
    const at = map.valueAt(...path)
    findings.add(rule, message, map.file, at?.line, at?.column)
  }
  const license = own(map, 'license')
  if (license !== undefined && typeof license !== 'string')
    add('skill_md.field', ['license'], `license is ${brief(license)}, not a text.`)
  const compatibility = own(map, 'compatibility')
  const length = typeof compatibility === 'string' ? Array.from(compatibility.trim()).length : 0
  if (compatibility !== undefined && (length === 0 || length > MOST_COMPATIBILITY)) {
    const what = length === 0 ? `it is ${brief(compatibility)}` : `it exceeds them with ${length}`
    const message = `compatibility must be a text of 1 to ${MOST_COMPATIBILITY} characters; ${what}.`
    add('skill_md.field', ['compatibility'], message)
  }
  checkTools(own(map, 'allowed-tools'), add)
  checkMetadata(own(map, 'metadata'), add)
}

type Add = (rule: RuleId, path: string[], message: string) => void

function checkTools(tools: unknown, add: Add): void {
  if (tools === undefined) return
  const path = ['allowed-tools']
  if (Array.isArray(tools))
    add('skill_md.tools_list', path, 'allowed-tools is a list; the specification has one text with spaces.')
  else if (typeof tools !== 'string') add('skill_md.field', path, `allowed-tools is ${brief(tools)}, not a text.`)
  // What stands in brackets is the tool's own affair.
  else if (/,/.test(tools.replaceAll(/\([^()]*\)/g, '')))
    add('skill_md.tools_commas', path, 'allowed-tools has commas between the tools.')
}

function checkMetadata(metadata: unknown, add: Add): void {
  if (metadata === undefined) return
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    return add('skill_md.field', ['metadata'], `metadata is ${brief(metadata)}, not a table.`)
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === 'string') continue
    const message = `metadata.${key.slice(0, 60)} is ${brief(value)}; the specification has texts only: quote it.`
    add('skill_md.metadata_text', ['metadata', key], message)
  }
}
