import { LIMITS } from '../../model/sizes.ts'
import type { Draft } from '../draft.ts'
import type { Findings } from '../rules.ts'
import { brief, readFields } from './fields.ts'
import type { PackageContext } from './package-context.ts'
import { findEntry } from './source-entry.ts'
import { readText } from './text.ts'
import { parseYaml } from './yaml.ts'

const REQUIRED = ['spm', 'namespace', 'name', 'description', 'entry', 'runtime', 'input', 'output']
const KEYS = [...REQUIRED, 'version', 'network', 'size', 'timeout']
/** The one that is pinned, and so the one that `node` stands for. */
const NODE = 24
const RUNTIME = /^node(?:js)?(\d{1,2})?$/

/** A TypeScript skill: spm.yaml and a module with `execute()`. */
export function readTypeScript(at: PackageContext, manifest: string, findings: Findings): Draft | null {
  const text = readText(at.dir, manifest, LIMITS.manifestBytes, findings)
  const map = text === null ? null : parseYaml(text, manifest, 1, findings)
  if (map === null) return null
  const fields = readFields(map, findings)
  fields.checkKeys(KEYS, REQUIRED)
  const runtime = fields.text('runtime', 'manifest.runtime')
  const declared = RUNTIME.exec(runtime ?? '')
  if (runtime !== null && declared === null) {
    const detail = runtime === 'python' ? ' A Python skill has main.py and skill.yaml.' : ''
    findings.add(
      'manifest.runtime',
      `The runtime ${brief(runtime)} is not node.${detail}`,
      manifest,
      map.lineOf('runtime'),
    )
  }
  const entry = findEntry(at, manifest, fields.text('entry', 'manifest.entry'), map.lineOf('entry'), findings)
  if (entry === null) return null
  return {
    format: 'typescript',
    name: fields.name() ?? at.fallbackName,
    description: fields.description(),
    declared_version: fields.version(),
    input_schema: fields.schema('input'),
    output_schema: fields.schema('output'),
    runtime: `node${declared?.[1] ?? NODE}`,
    entry,
    defaults: fields.defaults(),
    skill_md: null,
    declared_at: {
      file: manifest,
      runtime_line: map.lineOf('runtime'),
      input_line: map.lineOf('input'),
      output_line: map.lineOf('output'),
    },
  }
}
