import { valid } from 'semver'
import { NetworkList } from '../../model/network.ts'
import { SIZES } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import type { Draft } from '../draft.ts'
import type { Findings, RuleId } from '../rules.ts'
import { closestKey } from './known-keys.ts'
import type { YamlMap } from './yaml.ts'

/** The fields that skill.yaml and spm.yaml share, each with its check. Null or absent where the manifest says nothing or nothing usable. */
export interface Fields {
  name(): string | null
  description(): string | null
  version(): string | null
  schema(key: string): Record<string, unknown> | null
  defaults(): Draft['defaults']
  /** A text, with a finding of this rule when it is something else. */
  text(key: string, rule: RuleId): string | null
  checkKeys(known: readonly string[], required: readonly string[]): void
}

export function readFields(map: YamlMap, findings: Findings): Fields {
  const { file, values } = map
  const has = (key: string): boolean => Object.hasOwn(values, key) && values[key] !== null
  const add = (rule: RuleId, key: string, message: string): void => findings.add(rule, message, file, map.lineOf(key))

  const text = (key: string, rule: RuleId): string | null => {
    if (!has(key)) return null
    const value = values[key]
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
    add(rule, key, `"${key}" is ${brief(value)}, not a text.`)
    return null
  }

  return {
    text,
    name() {
      const name = text('name', 'manifest.name')
      if (name === null || Name.safeParse(name).success) return name
      add('manifest.name', 'name', `The name ${brief(name)} cannot be used.`)
      return null
    },
    description() {
      const description = text('description', 'manifest.description')
      if (description === null || description.length <= 1024) return description
      add('manifest.description', 'description', `The description has ${description.length} characters.`)
      return null
    },
    version() {
      if (!has('version')) return null
      const version = values['version']
      if (typeof version === 'string' && valid(version) === version) return version
      add('manifest.version', 'version', `The version ${brief(version)} is not major.minor.patch.`)
      return null
    },
    schema(key) {
      if (!has(key)) return null
      const schema = values[key]
      if (typeof schema === 'object' && !Array.isArray(schema)) return schema as Record<string, unknown>
      add('manifest.schema', key, `"${key}" is ${brief(schema)}, not a schema.`)
      return null
    },
    defaults: () => readDefaults(values, has, add),
    checkKeys(known, required) {
      for (const key of Object.keys(values)) {
        if (known.includes(key)) continue
        const meant = closestKey(key, known)
        const hint = meant === null ? `Known keys: ${known.join(', ')}.` : `Did you mean "${meant}"?`
        add('manifest.unknown_key', key, `The key ${brief(key)} is not known. ${hint}`)
      }
      for (const key of required) {
        if (!has(key)) findings.add('manifest.missing_key', `${file} has no "${key}".`, file)
      }
    },
  }
}

function readDefaults(
  values: Record<string, unknown>,
  has: (key: string) => boolean,
  add: (rule: RuleId, key: string, message: string) => void,
): Draft['defaults'] {
  const defaults: Draft['defaults'] = {}
  if (has('size')) {
    const size = values['size']
    if (typeof size === 'string' && Object.hasOwn(SIZES, size)) defaults.size = size as keyof typeof SIZES
    else add('manifest.size', 'size', `The size ${brief(size)} is not known.`)
  }
  if (has('timeout')) {
    const seconds = toSeconds(values['timeout'])
    if (seconds !== null) defaults.timeout_s = seconds
    else add('manifest.timeout', 'timeout', `The timeout ${brief(values['timeout'])} cannot be used.`)
  }
  if (has('network')) {
    const list = values['network']
    const read = NetworkList.safeParse(list)
    if (read.success) defaults.network = [...new Set(read.data)]
    else
      for (const { path, message } of read.error.issues)
        add('manifest.network', 'network', complaint(list, path, message))
  }
  return defaults
}

function complaint(list: unknown, [at]: readonly PropertyKey[], message: string): string {
  if (typeof at !== 'number')
    return Array.isArray(list) ? `The list ${message}.` : `${brief(list)} is not a list of names.`
  const entry: unknown = (list as unknown[])[at]
  return typeof entry === 'string' ? `${brief(entry)} ${message}.` : `${brief(entry)} is not a name.`
}

const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600 }

function toSeconds(value: unknown): number | null {
  const match = /^([0-9]{1,5})\s*([smh]?)$/.exec(String(value))
  const seconds = match === null ? 0 : Number(match[1]) * UNITS[match[2]!]!
  return seconds >= 1 && seconds <= SIZES.XL.timeout_s ? seconds : null
}

/** A value in few characters. */
export function brief(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a table'
  const shown = JSON.stringify(value) ?? 'nothing'
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown
}
