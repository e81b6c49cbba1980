import type { Services } from '../http/services.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { Finding, type Package } from '../model/packages.ts'
import type { Profile } from '../packages/profiles/profile.ts'
import type { Published } from '../skills/publish.ts'
import { rejected } from '../skills/rejection.ts'
import { NOT_AT_TOP, type SkillUpload } from './skill-upload.ts'

/**
 * Makes a version of what was received; it has a SKILL.md, and the name that the skill has.
 * @param request.skill Null: a new one.
 * @throws SkilletError package_rejected, name_taken, and whatever publishing throws
 */
export async function publishUpload(
  { publishing }: Pick<Services['skills'], 'publishing'>,
  caller: Caller,
  request: {
    readonly upload: SkillUpload
    readonly skill: { readonly id: string; readonly name: string } | null
    readonly displayName?: string | null
    readonly serve: boolean
    readonly profile?: Profile
    readonly signal: AbortSignal
  },
): Promise<Published> {
  const { upload, skill, ...rest } = request
  const accept = (source: Package): void => {
    const wrong = faultOf(source, skill?.name ?? source.name)
    if (wrong !== null) throw rejected([wrong])
  }
  try {
    return await publishing.publish(caller, { ...rest, archive: upload.archive, skill: skill?.id ?? null, accept })
  } catch (error) {
    throw inKnownWords(error)
  }
}

function faultOf({ name, skill_md }: Package, expected: string): Finding | null {
  const at = { severity: 'deny', line: null, column: null } as const
  if (skill_md === null) {
    const fix = 'Add a file "SKILL.md" at the root of the skill.'
    return { ...at, rule: 'skill_md.missing', message: NOT_AT_TOP, file: null, fix }
  }
  if (name === expected) return null
  const message = `The name is "${name}", but all versions of this skill are named "${expected}".`
  const fix = `Write "name: ${expected}", or create another skill.`
  return { ...at, rule: 'manifest.name_differs', message, file: 'SKILL.md', fix }
}

const MISSING = new Set(['skill_md.missing', 'manifest.missing'])

/** Of a zip it is found out late that the file is not where it has to be. */
function inKnownWords(error: unknown): unknown {
  if (!(error instanceof SkilletError) || error.code !== 'package_rejected') return error
  const findings = Finding.array().safeParse(error.data['findings'])
  const missing = findings.success && findings.data.some(({ rule }) => MISSING.has(rule))
  if (!missing || error.message.includes(NOT_AT_TOP)) return error
  return new SkilletError(error.code, `${NOT_AT_TOP} ${error.message}`, { data: { ...error.data } })
}
