import type { SkillMd } from '../../model/packages.ts'
import { LIMITS } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import { checkBody } from '../profiles/check-body.ts'
import { descriptionOf, isTooLong, nameOf } from '../profiles/check-face.ts'
import { checkDocument } from '../profiles/check-skill.ts'
import type { Findings } from '../rules.ts'
import type { PackageContext } from './package-context.ts'
import { readSkillDocument } from './skill-document.ts'
import { readBytes } from './text.ts'
import type { YamlMap } from './yaml.ts'

/** A SKILL.md whose name and description can be used. Null: they cannot; the findings say why. */
export interface SkillMdFace {
  readonly name: string
  readonly description: string
  readonly skill_md: SkillMd
}

/** The SKILL.md of an upload: refused for what would not work here, and remarked on for what would not elsewhere. */
export function readSkillMd(at: PackageContext, file: string, findings: Findings): SkillMdFace | null {
  const bytes = readBytes(at.dir, file, LIMITS.skillMdBytes)
  if (typeof bytes === 'number') {
    findings.add('manifest.too_large', `${file} has ${bytes} bytes; at most ${LIMITS.skillMdBytes} are allowed.`, file)
    return null
  }
  const document = readSkillDocument(bytes, file, findings)
  if (document === null) return null
  checkDocument(document, null, 'upload', findings)
  checkBody(document, findings)
  return document.map === null ? null : faceOf(document.map, document.body)
}

function faceOf(map: YamlMap, body: string): SkillMdFace | null {
  const name = nameOf(map)
  const description = descriptionOf(map)
  if (name === null || !Name.safeParse(name).success || description === null || isTooLong(description)) return null
  return { name, description, skill_md: { frontmatter: map.values, body } }
}
