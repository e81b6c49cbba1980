import type { Finding } from '../model/packages.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Draft, Unpacked } from './draft.ts'
import type { PackageContext } from './manifest/package-context.ts'
import { readSkillMd, type SkillMdFace } from './manifest/skill-md.ts'
import { readPython } from './manifest/skill-yaml.ts'
import { readTypeScript } from './manifest/spm-yaml.ts'
import { readText } from './manifest/text.ts'
import { createFindings, type Findings } from './rules.ts'

export interface DraftResult {
  readonly findings: Finding[]
  /** As far as it can be told, also beside findings that forbid the package: then the scan can add its own. Null: not even that. */
  readonly draft: Draft | null
}

/**
 * What kind of skill the files are, and what its manifests say of it. A SKILL.md beside a handler gives one skill with both faces.
 * Parses what strangers wrote: it runs in a thread.
 * @param fallbackName The name when no manifest gives one.
 */
export function readDraft(unpacked: Pick<Unpacked, 'dir' | 'files'>, fallbackName: string): DraftResult {
  const findings = createFindings()
  const paths = unpacked.files.map((file) => file.path)
  const present = new Set(paths)
  const at: PackageContext = { dir: unpacked.dir, paths, fallbackName, has: (path) => present.has(path) }
  const draft = read(at, findings)
  if (draft !== null && draft.name !== fallbackName) {
    findings.add(
      'manifest.name_differs',
      `The package is named "${draft.name}", but it was uploaded to the skill "${fallbackName}".`,
    )
  }
  return { findings: findings.list(), draft }
}

function read(at: PackageContext, findings: Findings): Draft | null {
  const spm = first(at, ['spm.yaml', 'spm.yml'])
  const yaml = first(at, ['skill.yaml', 'skill.yml'])
  const markdown = first(at, ['SKILL.md', 'skill.md'])
  const face = markdown === null ? null : readSkillMd(at, markdown, findings)
  if (spm !== null && yaml !== null) {
    findings.add('manifest.ambiguous', `There are both ${spm} and ${yaml}.`, yaml)
    return null
  }
  if (spm !== null) return withFace(readTypeScript(at, spm, findings), face, findings)
  const isPython = yaml !== null || (at.has('main.py') && (markdown === null || definesHandler(at, findings)))
  if (isPython) return withFace(readPython(at, yaml, findings), face, findings)
  if (markdown === null) {
    const hint = at.has('package.json') ? ' A TypeScript skill needs a spm.yaml beside its package.json.' : ''
    findings.add('manifest.missing', `There is no skill.yaml, main.py, spm.yaml or SKILL.md at the root.${hint}`)
    return null
  }
  if (face === null) return null
  return {
    format: 'skill-md',
    name: face.name,
    description: face.description,
    declared_version: null,
    input_schema: null,
    output_schema: null,
    runtime: 'python3',
    entry: null,
    defaults: {},
    skill_md: face.skill_md,
  }
}

const first = (at: PackageContext, names: string[]): string | null => names.find((name) => at.has(name)) ?? null

/** Beside a SKILL.md a main.py may be just one of its scripts. */
function definesHandler(at: PackageContext, findings: Findings): boolean {
  const source = readText(at.dir, 'main.py', LIMITS.packageBytes, findings)
  return source !== null && /^(?:async[ \t]+)?def[ \t]+handler[ \t]*\(/m.test(source)
}

function withFace(draft: Draft | null, face: SkillMdFace | null, findings: Findings): Draft | null {
  if (draft === null || face === null) return draft
  if (face.name !== draft.name) {
    findings.add(
      'manifest.name_differs',
      `SKILL.md says "${face.name}", the manifest says "${draft.name}".`,
      'SKILL.md',
    )
  }
  return { ...draft, description: draft.description ?? face.description, skill_md: face.skill_md }
}
