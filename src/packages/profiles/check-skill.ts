import type { Finding } from '../../model/packages.ts'
import { LIMITS } from '../../model/sizes.ts'
import { readSkillDocument, type SkillDocument } from '../manifest/skill-document.ts'
import { createFindings, type Findings } from '../rules.ts'
import { checkAuthoring } from './check-authoring.ts'
import { checkDescription, checkName } from './check-face.ts'
import { checkFields } from './check-fields.ts'
import { checkKeys } from './check-keys.ts'
import { checkForm } from './check-form.ts'
import type { Profile, RuleSet } from './profile.ts'
import { findSkillMd, type SkillFiles } from './skill-files.ts'

export interface CheckOptions {
  readonly profile: Profile
  /** Whether to give the advice of the authoring guide, too. Default true. */
  readonly authoring?: boolean
}

/**
 * Everything that can be said of a skill from its files, by the demands of one profile. Pure but for `files.read`; takes time that is
 * linear in the files, but parses what strangers wrote: on a server it runs in a thread.
 */
export function checkSkill(files: SkillFiles, { profile, authoring = true }: CheckOptions): Finding[] {
  const findings = createFindings(profile)
  const file = findSkillMd(files)
  if (file === null) {
    const elsewhere = files.files.find(({ path }) => path.toLowerCase().endsWith('/skill.md'))?.path
    const hint = elsewhere === undefined ? '' : ` "${elsewhere}" is not at the root.`
    findings.add('skill_md.missing', `There is no SKILL.md.${hint}`, elsewhere)
    return findings.list()
  }
  checkSizes(files, profile, findings)
  const document = readDocument(files, file, findings)
  if (document !== null) {
    checkDocument(document, files.folder, profile, findings)
    if (authoring) checkAuthoring(document, files, findings)
  }
  return inOrder(findings.list(), file)
}

/** As they stand in the files, SKILL.md first. */
function inOrder(findings: readonly Finding[], first: string): Finding[] {
  const place = ({ file }: Finding): string => (file === null || file === first ? '' : file)
  return findings.toSorted(
    (a, b) =>
      (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
}

/** @param set The same rules serve uploads: there they weigh less. */
export function checkDocument(document: SkillDocument, folder: string | null, set: RuleSet, findings: Findings): void {
  checkForm(document, findings)
  const { map } = document
  // Without frontmatter there is nothing that could be missing in it.
  if (map === null) return
  checkKeys(map, set, findings)
  checkName(map, folder, findings)
  checkDescription(map, findings)
  checkFields(map, findings)
}

function readDocument(files: SkillFiles, file: string, findings: Findings): SkillDocument | null {
  const { size } = files.files.find(({ path }) => path === file)!
  if (size <= LIMITS.skillMdBytes) return readSkillDocument(files.read(file), file, findings)
  findings.add('manifest.too_large', `${file} has ${size} bytes; at most ${LIMITS.skillMdBytes} are allowed.`, file)
  return null
}

/** Elsewhere the rules are off. */
const MOST = { claudeApiBytes: 30_000_000, bytes: 16 * 2 ** 20, files: 512 }

function checkSizes({ files }: SkillFiles, profile: Profile, findings: Findings): void {
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const most = profile === 'claude-api' ? MOST.claudeApiBytes : MOST.bytes
  if (total > most) findings.add('skill_md.too_large', `The files have ${total} bytes together, more than ${most}.`)
  if (files.length > MOST.files)
    findings.add('skill_md.too_many_files', `There are ${files.length} files, more than ${MOST.files}.`)
}
