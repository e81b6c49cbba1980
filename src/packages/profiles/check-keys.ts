import { brief } from '../manifest/fields.ts'
import { closestKey } from '../manifest/known-keys.ts'
import type { YamlMap } from '../manifest/yaml.ts'
import type { Findings } from '../rules.ts'
import type { RuleSet } from './profile.ts'

/** The six fields of the open specification, in the order in which the Claude API lists them. */
export const SPEC_KEYS = ['allowed-tools', 'compatibility', 'description', 'license', 'metadata', 'name']

/** What Claude Code reads besides. */
export const CLAUDE_CODE_KEYS = [
  'agent',
  'argument-hint',
  'arguments',
  'background',
  'context',
  'disable-model-invocation',
  'disallowed-tools',
  'effort',
  'hooks',
  'model',
  'paths',
  'shell',
  'user-invocable',
  'when_to_use',
]

/** To find out what was meant takes longer than all else. */
const MOST_HINTS = 20

export function checkKeys(map: YamlMap, set: RuleSet, findings: Findings): void {
  const known = set === 'claude-code' ? [...SPEC_KEYS, ...CLAUDE_CODE_KEYS] : SPEC_KEYS
  const unknown = Object.keys(map.values).filter((key) => !known.includes(key))
  if (unknown.length === 0) return
  if (set === 'claude-api') return addAll(map, unknown, findings)
  for (const [index, key] of unknown.entries()) {
    const at = map.keyAt(key)
    findings.add(
      'skill_md.unknown_key',
      `${brief(key)} ${say(key, index < MOST_HINTS ? known : [])}`,
      map.file,
      at?.line,
      at?.column,
    )
  }
}

function say(key: string, known: readonly string[]): string {
  if (CLAUDE_CODE_KEYS.includes(key)) return 'is a key of Claude Code, not in the open specification.'
  const meant = closestKey(key, known)
  return `is not in the open specification.${meant === null ? '' : ` Did you mean "${meant}"?`}`
}

/** In the words of the API's own validator, which its users search for. */
function addAll(map: YamlMap, unknown: readonly string[], findings: Findings): void {
  const at = map.keyAt(unknown[0]!)
  const keys = unknown
    .map((key) => key.slice(0, 80))
    .toSorted()
    .join(', ')
  const message = `Unexpected key(s) in SKILL.md frontmatter: ${keys}. Allowed properties are: ${SPEC_KEYS.join(', ')}`
  findings.add('skill_md.unknown_key', message, map.file, at?.line, at?.column)
}
