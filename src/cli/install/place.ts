import { lstat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { Name } from '../../model/skills.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

/** Where clients look for skills in a project. */
const CLIENTS: Readonly<Record<string, string>> = { 'claude-code': '.claude/skills', agents: '.agents/skills' }

/** Where a skill lies in a project. */
export interface Place {
  readonly project: string
  /** Of the skill, relative to the project, with `/`. */
  readonly path: string
  /** Of the skill. */
  readonly folder: string
}

/** @param to `claude-code`, `agents`, or a folder in the project. @throws CliError when it leads out of it */
export function placeFor(project: string, to: string, skill: string): Place {
  if (!Name.safeParse(skill).success)
    throw usageError(`"${skill}" is no name of a skill.`, 'Name it as "skillet skill list" does.')
  const parent = relative(project, resolve(project, CLIENTS[to] ?? to))
    .split(sep)
    .join('/')
  return placeAt(project, parent === '' ? skill : `${parent}/${skill}`)
}

/** @param path As a lock file has it. @throws CliError when it leads out of the project */
export function placeAt(project: string, path: string): Place {
  const segments = path.split('/')
  const inside =
    !isAbsolute(path) &&
    segments.every((one) => one !== '' && one !== '.' && one !== '..' && !/[\\\0]|^\.git$/i.test(one))
  if (inside) return { project, path, folder: join(project, ...segments) }
  throw new CliError(EXIT.usage, `"${path}" is not a folder in ${project}.`, {
    why: 'What a project installs stays inside it, and out of what belongs to git.',
    fix: 'Name a folder in the project with --to, or run the command in another folder.',
  })
}

/**
 * Nothing on the way from the project to the skill is a symbolic link, or anything but a folder.
 * @returns Whether something is there already. @throws CliError
 */
export async function lookAt({ project, path }: Place): Promise<boolean> {
  let at = project
  for (const segment of path.split('/')) {
    at = join(at, segment)
    const found = await lstat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (found === null) return false
    if (found.isDirectory()) continue
    throw new CliError(EXIT.failed, `${at} is ${found.isSymbolicLink() ? 'a symbolic link' : 'no folder'}.`, {
      why: 'Skills are written into folders of the project itself: who could put a link there could have anything overwritten.',
      fix: 'Remove it, or install to another folder with --to.',
    })
  }
  return true
}
