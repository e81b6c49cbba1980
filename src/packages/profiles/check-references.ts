import { posix } from 'node:path'
import { countLines } from '../manifest/skill-document.ts'
import type { Findings } from '../rules.ts'
import { hasContents } from './contents.ts'
import { type MarkdownLine, type Link, linksOf, readMarkdown } from './markdown.ts'
import type { SkillFiles } from './skill-files.ts'

const MOST_REFERENCES = 200
const MOST_BYTES = 256 * 2 ** 10
const MOST_WORDS = 40_000
const LONG_LINES = 100

interface Page {
  readonly file: string
  readonly body: string
  readonly lines: readonly MarkdownLine[]
}

/** What SKILL.md refers to is there, names its contents when it is long, and refers to nothing further. */
export function checkReferences(root: Page, files: SkillFiles, findings: Findings): void {
  const tree = treeOf(files)
  checkLinks(root, tree, findings)
  const named = mentions(root)
  const isNamed = (path: string): boolean => isMentioned(path, named)
  const pages = files.files.filter(
    ({ path, size }) => path !== root.file && path.endsWith('.md') && size <= MOST_BYTES && isNamed(path),
  )
  for (const { path } of pages.slice(0, MOST_REFERENCES)) {
    const body = new TextDecoder().decode(files.read(path))
    const page: Page = { file: path, body, lines: readMarkdown(body, 1) }
    checkLinks(page, tree, findings)
    checkDepth(page, tree, isNamed, findings)
    const length = countLines(body.trimEnd())
    if (length > LONG_LINES && !hasContents(page.lines))
      findings.add('authoring.contents', `The file has ${length} lines and no table of contents.`, path, 1, 1)
  }
}

interface Tree {
  readonly files: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
}

function treeOf({ files }: SkillFiles): Tree {
  const folders = new Set<string>(['.'])
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
  }
  return { files: new Set(files.map(({ path }) => path)), folders }
}

function checkLinks(page: Page, tree: Tree, findings: Findings): void {
  for (const link of linksOf(page.lines)) {
    const target = localTarget(link)
    if (target === null || resolve(page.file, target, tree) !== null) continue
    if (target.includes('\\')) {
      const message = `The link "${target.slice(0, 80)}" has backslashes.`
      findings.add('authoring.forward_slash', message, page.file, link.line, link.column)
      continue
    }
    const message = `The link "${target.slice(0, 80)}" leads to no file of the skill.`
    findings.add('authoring.reference_missing', message, page.file, link.line, link.column)
  }
}

function checkDepth(page: Page, tree: Tree, isNamed: (path: string) => boolean, findings: Findings): void {
  for (const link of linksOf(page.lines)) {
    const target = localTarget(link)
    const path = target === null ? null : resolve(page.file, target, tree)
    if (path === null || path === page.file || !path.endsWith('.md') || isNamed(path) || /^skill\.md$/i.test(path))
      continue
    const message = `"${path.slice(0, 80)}" is named here, but not in SKILL.md.`
    findings.add('authoring.reference_depth', message, page.file, link.line, link.column)
  }
}

/** A path within the skill; null: an address, an anchor, or a placeholder. */
function localTarget({ target }: Link): string | null {
  if (/^(?:[a-z][a-z0-9+.-]*:|[#/~$])/i.test(target) || /[{}*$|]|\.\.\./.test(target)) return null
  const path = decoded(target.replace(/[?#].*$/, ''))
  return /[./\\]/.test(path) ? path : null
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // A percent sign that is none of an escape belongs to the name.
    return path
  }
}

/** Relative to the file, as Markdown means it, or to the skill, as agents do. */
function resolve(from: string, target: string, { files, folders }: Tree): string | null {
  const candidates = [posix.join(posix.dirname(from), target), posix.normalize(target)]
  return candidates.map((path) => path.replace(/\/$/, '')).find((path) => files.has(path) || folders.has(path)) ?? null
}

/** Everything in the text that may be a path, its code included. */
function mentions({ body }: Page): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [word] of body.matchAll(/[^\s"'`()[\]<>{},;|*]{1,300}/g)) {
    if (found.size >= MOST_WORDS) break
    const path = decoded(word.replace(/^\.\//, '').replace(/[?#].*$/, '')).replaceAll('\\', '/')
    found.add(path).add(path.replace(/[.:]$/, ''))
  }
  return found
}

/** By its path, by its name, or by a folder that it lies in. */
function isMentioned(path: string, named: ReadonlySet<string>): boolean {
  if (named.has(path) || named.has(posix.basename(path))) return true
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    if (named.has(path.slice(0, at + 1))) return true
  }
  return false
}
