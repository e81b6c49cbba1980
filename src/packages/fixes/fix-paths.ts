import { readSkillDocument } from '../manifest/skill-document.ts'
import { decodeText } from '../manifest/text.ts'
import { checkAuthoring } from '../profiles/check-authoring.ts'
import type { Profile } from '../profiles/profile.ts'
import type { SkillFiles } from '../profiles/skill-files.ts'
import { createFindings } from '../rules.ts'
import { applyEdits, type Edit } from './edits.ts'
import type { FixedFile } from './fixed-file.ts'

/** Backslashes in paths. @returns SKILL.md, then what it refers to. */
export function fixPaths(files: SkillFiles, root: FixedFile, profile: Profile): FixedFile[] {
  const findings = createFindings(profile)
  const document = readSkillDocument(root.after, root.path, findings)
  if (document !== null) checkAuthoring(document, files, findings)
  const places = Map.groupBy(
    findings.list().filter(({ rule, line }) => rule === 'authoring.forward_slash' && line !== null),
    ({ file }) => file!,
  )
  const fixed = [root, ...[...places.keys()].filter((path) => path !== root.path).map((path) => unchanged(files, path))]
  return fixed.map((file) => withSlashes(file, places.get(file.path) ?? []))
}

function unchanged(files: SkillFiles, path: string): FixedFile {
  const bytes = files.read(path)
  return { path, before: bytes, after: bytes, changes: [] }
}

function withSlashes(file: FixedFile, places: readonly { line: number | null; column: number | null }[]): FixedFile {
  const decoded = decodeText(file.after, file.path, createFindings())
  if (decoded === null || places.length === 0) return file
  const { text, byteOrderMark } = decoded
  const starts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map(({ 0: end, index }) => index + end.length)]
  const edits = places.flatMap(({ line, column }): Edit[] => {
    const start = starts[line! - 1]! + column! - 1
    const path = /^[^\s()<>`"']+/.exec(text.slice(start, start + 600))?.[0] ?? ''
    const slashed = path.replaceAll(/\\+/g, '/')
    const what = `the path "${path.slice(0, 80)}" becomes "${slashed.slice(0, 80)}"`
    return slashed === path ? [] : [{ start, end: start + path.length, text: slashed, what }]
  })
  const made = applyEdits(text, edits)
  const after = Buffer.from((byteOrderMark ? '\uFEFF' : '') + made.text)
  return { ...file, after, changes: [...file.changes, ...made.changes] }
}
