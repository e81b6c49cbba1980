import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSkillMd } from '../../model/catalogue.ts'
import { isIgnored } from '../../packages/zip/entries.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

/** As clients of the open specification are told to look: no deeper, and into no more folders. */
const MOST = { depth: 6, folders: 2000 }

/** Skills in a repository, in whatever folders they are: plugins of a marketplace have them in plugins/<plugin>/skills/<skill>. */
export interface FoundSkills {
  /** Relative to the root, sorted; empty for the root itself. */
  readonly folders: readonly string[]
  /** What was not looked into, and why. */
  readonly notes: readonly string[]
}

/** Folders with a SKILL.md. What is below one belongs to it. Links are not followed. @throws CliError when there are too many folders */
export async function findSkills(root: string): Promise<FoundSkills> {
  const folders: string[] = []
  const notes: string[] = []
  let looked = 0
  await look('', 0)
  return { folders: folders.toSorted(), notes }

  async function look(path: string, depth: number): Promise<void> {
    if (++looked > MOST.folders) throw tooMany(root)
    const entries = await entriesOf(join(root, path))
    if (entries.some((entry) => entry.isFile() && isSkillMd(entry.name))) {
      folders.push(path)
      return
    }
    for (const entry of entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (isIgnored(entry.name)) continue
      if (entry.isSymbolicLink()) notes.push(`${below} is a symbolic link and was not followed`)
      else if (!entry.isDirectory()) continue
      else if (depth === MOST.depth) notes.push(`${below} lies too deep and was not looked into`)
      else await look(below, depth + 1)
    }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    throw new CliError(EXIT.usage, `The folder ${folder} cannot be read.`, {
      why: (error as Error).message,
      fix: 'Name a folder, a zip, a tar.gz, or the https URL of one.',
      cause: error,
    })
  }
}

const tooMany = (root: string): CliError =>
  new CliError(EXIT.usage, `There are more than ${MOST.folders} folders in ${root}.`, {
    fix: 'Name a folder in it that holds the skills.',
  })
