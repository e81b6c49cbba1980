import type { Findings } from '../rules.ts'
import type { Entry } from './records.ts'

// Besides C0 and C1: the characters that reverse or isolate the direction of text, so that a path reads other than it is.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

/** A path as it may be shown: control characters become visible, and it is cut. */
export const printable = (path: string): string =>
  path
    .slice(0, 300)
    .replaceAll(
      new RegExp(CONTROL, 'gu'),
      (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
    )

/** Everything that can be wrong with one path by itself. */
export function checkName(entry: Pick<Entry, 'path' | 'name'>, pathChars: number, findings: Findings): void {
  const { path } = entry
  const shown = printable(path)
  const plain = path.endsWith('/') ? path.slice(0, -1) : path
  const segments = plain.split('/')
  if (plain === '') {
    if (path === '') findings.add('zip.empty_name', 'An entry has no name.')
    else findings.add('zip.absolute', 'An entry is named "/".', shown)
    return
  }
  if (!Buffer.from(path, 'utf8').equals(entry.name))
    findings.add('zip.name_encoding', `The name "${shown}" is not valid UTF-8.`, shown)
  if (CONTROL.test(path)) findings.add('zip.control_character', `The name "${shown}" holds a control character.`, shown)
  if (path.startsWith('/')) findings.add('zip.absolute', `"${shown}" is an absolute path.`, shown)
  if (/^[A-Za-z]:/.test(path)) findings.add('zip.drive_path', `"${shown}" begins with a drive.`, shown)
  if (path.includes('\\')) findings.add('zip.backslash', `"${shown}" holds a backslash.`, shown)
  if (path.split(/[/\\]/).includes('..')) findings.add('zip.traversal', `"${shown}" leads out of its folder.`, shown)
  const unclean = segments.some((segment, index) => segment === '.' || (segment === '' && index > 0))
  if (unclean) findings.add('zip.unclean_path', `"${shown}" has an empty or "." part.`, shown)
  if (path.length > pathChars || segments.some((segment) => Buffer.byteLength(segment) > 255)) {
    findings.add(
      'zip.path_length',
      `A path of ${path.length} characters; at most ${pathChars} in all and 255 bytes in one part are allowed.`,
      shown,
    )
  }
}

/** Everything that can be wrong between paths: the same one twice, in the reader's eyes or on some file system. */
export function checkClashes(paths: readonly string[], findings: Findings): void {
  const folders = new Map<string, string>()
  const files = new Map<string, string>()
  const seen = new Set<string>()
  for (const path of paths) {
    if (seen.has(path)) findings.add('zip.duplicate', `"${printable(path)}" is there twice.`, printable(path))
    seen.add(path)
  }
  for (const path of seen) {
    const segments = path.split('/')
    const isFolder = segments.at(-1) === ''
    if (isFolder) segments.pop()
    for (let depth = 1; depth <= segments.length; depth++) {
      const part = segments.slice(0, depth).join('/')
      const asFolder = isFolder || depth < segments.length
      clash(part, asFolder, files, folders, findings)
    }
  }
}

function clash(
  path: string,
  asFolder: boolean,
  files: Map<string, string>,
  folders: Map<string, string>,
  findings: Findings,
): void {
  const normal = path.normalize('NFC')
  const key = normal.toLowerCase().normalize('NFC')
  const [same, other] = asFolder ? [folders, files] : [files, folders]
  const shown = printable(path)
  const twin = same.get(key)
  const opposite = other.get(key)
  same.set(key, twin ?? path)
  if (opposite !== undefined && twin === undefined) {
    findings.add('zip.file_folder_clash', `"${shown}" is a file and a folder.`, shown)
  }
  if (twin === undefined || twin === path) return
  const rule = twin.normalize('NFC') === normal ? 'zip.unicode_clash' : 'zip.case_clash'
  findings.add(rule, `"${shown}" and "${printable(twin)}" are the same name on some systems.`, shown)
}
