import { chmodSync, mkdirSync } from 'node:fs'
import type { Finding, PackageFile } from '../../model/packages.ts'
import { packageDigest, sortFiles } from '../digest.ts'
import type { Unpacked } from '../draft.ts'
import { createFindings, type Findings } from '../rules.ts'
import { readDirectory } from './directory.ts'
import { checkEntry, IGNORED, isFolder, isIgnored, type ArchiveLimits } from './entries.ts'
import { extract } from './extract.ts'
import { locate, type Located } from './layout.ts'
import { checkClashes, checkName } from './names.ts'
import type { Entry } from './records.ts'
import { openSource, type Source } from './source.ts'

export interface UnpackRequest {
  /** Path of the zip. */
  readonly archive: string
  /** Folder to be made; its parent must exist, it must not. */
  readonly targetDir: string
  readonly limits: ArchiveLimits
}

export interface UnpackResult {
  readonly findings: Finding[]
  /** Null when a finding forbids the archive; what was written so far is the caller's to remove. */
  readonly unpacked: Unpacked | null
  /** The folder around all files, which was taken off their paths; absent when there is none. */
  readonly folder?: string
}

/** Checks a zip completely before anything is written, then inflates it. Blocks: it runs in a thread. */
export async function unpack({ archive, targetDir, limits }: UnpackRequest): Promise<UnpackResult> {
  const findings = createFindings()
  const source = openSource(archive)
  try {
    const located = inspect(source, limits, findings)
    const kept = located.filter(({ entry }) => !isFolder(entry) && !isIgnored(entry.path))
    if (!findings.denied && kept.length === 0)
      findings.add('zip.empty', 'The archive holds no file that belongs to a skill.')
    if (findings.denied) return { findings: findings.list(), unpacked: null }
    const prefix = wrappingFolder(kept.map(({ entry }) => entry.path))
    const files = await write(source, kept, prefix, targetDir, findings)
    const unpacked = findings.denied ? null : { dir: targetDir, files, digest: packageDigest(files) }
    return { findings: findings.list(), unpacked, ...(prefix !== '' && { folder: prefix.slice(0, -1) }) }
  } finally {
    source.close()
  }
}

function inspect(source: Source, limits: ArchiveLimits, findings: Findings): Located[] {
  const directory = readDirectory(source, limits.packageEntries, findings)
  if (directory === null) return []
  const { end, entries } = directory
  for (const entry of entries) checkName(entry, limits.pathChars, findings)
  const kept = entries.filter((entry) => !isIgnored(entry.path))
  for (const entry of kept) checkEntry(entry, limits, findings)
  checkClashes(
    entries.map((entry) => entry.path),
    findings,
  )
  reportIgnored(entries, findings)
  const total = kept.reduce((sum, entry) => sum + entry.size, 0)
  if (total > limits.packageBytes) {
    findings.add('zip.too_large', `The files have ${total} bytes together; at most ${limits.packageBytes} are allowed.`)
  }
  return locate(source, end, entries, findings)
}

function reportIgnored(entries: readonly Entry[], findings: Findings): void {
  for (const name of IGNORED) {
    const count = entries.filter(({ path }) => path.split('/').includes(name)).length
    if (count > 0)
      findings.add('zip.ignored', `${count} ${count === 1 ? 'entry' : 'entries'} of "${name}" left out.`, name)
  }
}

async function write(
  source: Source,
  kept: readonly Located[],
  prefix: string,
  root: string,
  findings: Findings,
): Promise<PackageFile[]> {
  mkdirSync(root, { mode: 0o755 })
  chmodSync(root, 0o755)
  const files: PackageFile[] = []
  for (const at of kept) {
    const file = await extract(source, at, root, at.entry.path.slice(prefix.length), findings)
    if (file !== null) files.push(file)
  }
  return sortFiles(files)
}

/** What makes a folder the root of a package. */
const ROOT_FILES = ['SKILL.md', 'skill.md', 'skill.yaml', 'skill.yml', 'spm.yaml', 'spm.yml', 'main.py', 'package.json']

/** A zip of a folder instead of its content: `folder/` is taken off all paths. Empty when there is none. */
function wrappingFolder(paths: readonly string[]): string {
  const first = paths[0]!.slice(0, paths[0]!.indexOf('/') + 1)
  if (first === '' || !paths.every((path) => path.startsWith(first))) return ''
  return ROOT_FILES.some((name) => paths.includes(first + name)) ? first : ''
}
