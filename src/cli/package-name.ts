import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { Name } from '../model/skills.ts'
import { splitFrontmatter } from '../packages/manifest/frontmatter.ts'
import { usageError } from './cli-error.ts'

/** Where a package says its name, the most telling first. */
const MANIFESTS = ['skill.yaml', 'spm.yaml', 'SKILL.md'] as const

/**
 * The name a package folder goes by: its manifest's, else the folder's. Whether the manifest is good is for the server to say.
 * @throws CliError when that is not a usable name
 */
export async function packageName(folder: string): Promise<string> {
  for (const file of MANIFESTS) {
    const name = nameIn(file, await textOf(join(folder, file)))
    if (name !== null) return checked(name, `the name in ${file}`)
  }
  return checked(basename(resolve(folder)), 'the name of the folder')
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

function nameIn(file: string, text: string | null): string | null {
  if (text === null) return null
  const yaml = file === 'SKILL.md' ? (splitFrontmatter(text.replace(/^\uFEFF/, ''))?.frontmatter ?? '') : text
  try {
    const { name } = (parse(yaml) ?? {}) as { name?: unknown }
    return typeof name === 'string' ? name : null
  } catch {
    // The validator reports it with its line.
    return null
  }
}

function checked(name: string, what: string): string {
  if (Name.safeParse(name).success) return name
  throw usageError(
    `"${name}", ${what}, cannot name a skill.`,
    'Use up to 64 lower-case letters, digits and single hyphens, or name the skill with --skill.',
  )
}
