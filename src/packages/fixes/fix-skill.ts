import { LIMITS } from '../../model/sizes.ts'
import { readSkillDocument } from '../manifest/skill-document.ts'
import { checkDocument } from '../profiles/check-skill.ts'
import type { Profile } from '../profiles/profile.ts'
import { findSkillMd, type SkillFiles } from '../profiles/skill-files.ts'
import { createFindings } from '../rules.ts'
import { applyEdits, type Edit } from './edits.ts'
import type { FixedFile, Reading } from './fixed-file.ts'
import { fixPaths } from './fix-paths.ts'
import { fixValues } from './fix-values.ts'
import { closeFile, quoteColons, trimLines } from './tidy.ts'

/**
 * Mends what can be mended without knowing what the author meant, and what the profile finds fault with; every other byte stays.
 * Line breaks stay as they are, and so do spaces at the ends of lines of the body, where they mean something.
 * @returns Only the files that change.
 */
export function fixSkill(files: SkillFiles, profile: Profile): FixedFile[] {
  const path = findSkillMd(files)
  const size = files.files.find((file) => file.path === path)?.size ?? 0
  if (path === null || size > LIMITS.skillMdBytes) return []
  const original = files.read(path)
  // First what leaves every line in its place, so that all changes are told by the lines that the author sees.
  const [root, ...others] = fixPaths(files, { path, before: original, after: original, changes: [] }, profile)
  return [fixRoot(root!, files.folder, profile), ...others].filter(({ changes }) => changes.length > 0)
}

function fixRoot(root: FixedFile, folder: string | null, profile: Profile): FixedFile {
  const { path } = root
  let at = look(root.after, path, folder, profile)
  if (at === null) return root
  const changes = [...root.changes]
  const { byteOrderMark } = at.document
  const mark = byteOrderMark ? '\uFEFF' : ''
  for (const { edits, isGood } of STEPS) {
    const wanted = edits(at)
    if (wanted.length === 0) continue
    const made = applyEdits(at.document.text, wanted)
    const after = look(Buffer.from(mark + made.text), path, folder, profile)
    if (after === null || !isGood(at, after)) continue
    at = after
    changes.push(...made.changes)
  }
  const drop = at.found.has('skill_md.byte_order_mark')
  if (drop) changes.push({ line: 1, what: 'the byte order mark is gone' })
  const after = Buffer.from((drop ? '' : mark) + at.document.text)
  return { ...root, after, changes: changes.toSorted((a, b) => a.line - b.line) }
}

function look(bytes: Uint8Array, path: string, folder: string | null, profile: Profile): Reading | null {
  const findings = createFindings(profile)
  const document = readSkillDocument(bytes, path, findings)
  if (document === null) return null
  checkDocument(document, folder, profile, findings)
  return { document, found: new Set(findings.list().map(({ rule }) => rule)) }
}

interface Step {
  edits(at: Reading): Edit[]
  /** What turns out otherwise than it was meant is not done. */
  isGood(before: Reading, after: Reading): boolean
}

const values = ({ document }: Reading): string => JSON.stringify(document.map?.values)
const isReadable = (_: Reading, { document }: Reading): boolean => document.map !== null

const STEPS: readonly Step[] = [
  { edits: trimLines, isGood: (before, after) => values(before) === values(after) },
  { edits: closeFile, isGood: () => true },
  { edits: quoteColons, isGood: isReadable },
  { edits: fixValues, isGood: isReadable },
]
