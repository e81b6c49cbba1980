import { LIMITS } from '../../model/sizes.ts'
import type { Draft } from '../draft.ts'
import type { Findings } from '../rules.ts'
import { brief, readFields } from './fields.ts'
import type { PackageContext } from './package-context.ts'
import { readText } from './text.ts'
import { parseYaml } from './yaml.ts'

const KEYS = 'name description version input_schema output_schema entry handler runtime size timeout network'.split(' ')
const RUNTIME = /^python(?:3(?:\.\d{1,2})?)?$/
const HANDLERS = new Set(['handler', 'main.handler', 'main:handler', 'main.py:handler'])

/** A Python skill: main.py with `handler(input)`, and skill.yaml, which may be missing: then the code says the rest. */
export function readPython(at: PackageContext, manifest: string | null, findings: Findings): Draft | null {
  const blank: Draft = {
    format: 'python',
    name: at.fallbackName,
    description: null,
    declared_version: null,
    input_schema: null,
    output_schema: null,
    runtime: 'python3',
    entry: 'main.py',
    defaults: {},
    skill_md: null,
  }
  if (manifest === null) return blank
  const text = readText(at.dir, manifest, LIMITS.manifestBytes, findings)
  const map = text === null ? null : parseYaml(text, manifest, 1, findings)
  if (map === null) return null
  const fields = readFields(map, findings)
  fields.checkKeys(KEYS, [])
  const runtime = fields.text('runtime', 'manifest.runtime')
  if (runtime !== null && !RUNTIME.test(runtime)) {
    findings.add(
      'manifest.runtime',
      `The runtime ${brief(runtime)} is no Python 3, such as python3 or python3.11.`,
      manifest,
      map.lineOf('runtime'),
    )
  }
  const handler = fields.text('handler', 'manifest.handler')
  if (handler !== null && !HANDLERS.has(handler)) {
    findings.add('manifest.handler', `The handler ${brief(handler)} is not "handler".`, manifest, map.lineOf('handler'))
  }
  const entry = (fields.text('entry', 'manifest.entry') ?? 'main.py').replace(/^\.\//, '')
  if (!entry.endsWith('.py')) {
    findings.add('manifest.entry', `The entry ${brief(entry)} is not a Python file.`, manifest, map.lineOf('entry'))
  } else if (!at.has(entry)) {
    findings.add('manifest.entry_missing', `${brief(entry)} is not in the package.`, manifest, map.lineOf('entry'))
    return null
  }
  return {
    ...blank,
    name: fields.name() ?? at.fallbackName,
    description: fields.description(),
    declared_version: fields.version(),
    input_schema: fields.schema('input_schema'),
    output_schema: fields.schema('output_schema'),
    runtime: runtime === null || !RUNTIME.test(runtime) || runtime === 'python' ? blank.runtime : runtime,
    entry,
    defaults: fields.defaults(),
    declared_at: {
      file: manifest,
      runtime_line: map.lineOf('runtime'),
      input_line: map.lineOf('input_schema'),
      output_line: map.lineOf('output_schema'),
    },
  }
}
