import { readFile, readdir } from 'node:fs/promises'
import { join, matchesGlob } from 'node:path'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Never part of a package: made by tools, rebuilt by the server, or nobody's business. */
const ALWAYS_IGNORED = [
  '.git/',
  'node_modules/',
  '__pycache__/',
  '.venv/',
  '.skillet/',
  '.DS_Store',
  '*.pyc',
  '.skilletignore',
]

interface Rule {
  readonly pattern: string
  readonly keeps: boolean
  readonly onlyFolders: boolean
}

/**
 * The files of a package folder, relative and sorted, without what is ignored by default or by its .skilletignore
 * (one glob a line; `#` comments, `!` keeps, a trailing `/` means folders, a pattern without `/` holds at every depth).
 * @throws CliError for a missing folder, and for symbolic links, which packages cannot hold
 */
export async function packageFiles(folder: string): Promise<string[]> {
  const rules = [...ALWAYS_IGNORED, ...(await ignoreFile(folder))].map(ruleOf)
  const files: string[] = []
  await walk('')
  if (files.length === 0) throw usageError(`There are no files in ${folder}.`, 'Name the folder of a package.')
  return files.sort()

  async function walk(inside: string): Promise<void> {
    for (const entry of await entriesOf(join(folder, inside))) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (isIgnored(path, entry.isDirectory(), rules)) continue
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) files.push(path)
      else {
        throw new CliError(
          EXIT.usage,
          `${join(folder, path)} is ${entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}.`,
          {
            why: 'A package holds regular files only.',
            fix: 'Put a copy in its place, or name it in .skilletignore.',
          },
        )
      }
    }
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    throw new CliError(EXIT.usage, `The folder ${folder} cannot be read.`, {
      why: (error as Error).message,
      fix: 'Name the folder of a package; "skillet init" makes one.',
      cause: error,
    })
  }
}

async function ignoreFile(folder: string): Promise<string[]> {
  try {
    return (await readFile(join(folder, '.skilletignore'), 'utf8')).split(/\r?\n/)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function ruleOf(line: string): Rule {
  const keeps = line.startsWith('!')
  const text = line.slice(keeps ? 1 : 0).trim()
  const bare = text.replace(/\/$/, '')
  const pattern = bare.includes('/') ? bare.replace(/^\//, '') : `**/${bare}`
  return { pattern: text === '' || text.startsWith('#') ? '' : pattern, keeps, onlyFolders: text.endsWith('/') }
}

/** The last rule that fits decides. */
function isIgnored(path: string, isFolder: boolean, rules: readonly Rule[]): boolean {
  const last = rules.findLast(
    ({ pattern, onlyFolders }) => pattern !== '' && (isFolder || !onlyFolders) && matchesGlob(path, pattern),
  )
  return last !== undefined && !last.keeps
}
