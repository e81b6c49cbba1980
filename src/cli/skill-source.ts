import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Finding } from '../model/packages.ts'
import { LIMITS } from '../model/sizes.ts'
import { folderFiles } from '../packages/manifest/folder-files.ts'
import type { SkillFiles } from '../packages/profiles/skill-files.ts'
import { unpack } from '../packages/zip/unpack.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import { packageFiles } from './package-files.ts'

/** A skill on this machine, opened to be looked at. */
export interface SkillSource {
  /** Null: the findings say why not even that. */
  readonly files: SkillFiles | null
  /** Of the archive that it came in. */
  readonly findings: readonly Finding[]
  /** Where it lies; null in an archive, where nothing can be changed. */
  readonly folder: string | null
  close(): Promise<void>
}

/** @param path A folder, the SKILL.md in it, or a zip. @throws CliError for anything else */
export async function openSkillSource(path: string): Promise<SkillSource> {
  const kind = await kindOf(path)
  if (kind === 'zip') return openZip(path)
  const folder = kind === 'folder' ? path : dirname(path)
  return { files: await filesIn(folder), findings: [], folder, close: () => Promise.resolve() }
}

async function kindOf(path: string): Promise<'folder' | 'zip' | 'file'> {
  let found
  try {
    found = await stat(path)
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} cannot be read.`, {
      why: (error as Error).message,
      fix: 'Name the folder of a skill, its SKILL.md, or a zip.',
      cause: error,
    })
  }
  if (found.isDirectory()) return 'folder'
  if (found.isFile() && /^skill\.md$/i.test(basename(path))) return 'file'
  if (found.isFile() && (await beginsLikeZip(path))) return 'zip'
  throw usageError(
    `${path} is neither a folder nor a SKILL.md nor a zip.`,
    'Name the folder of a skill, its SKILL.md, or a zip.',
  )
}

async function beginsLikeZip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer.toString('latin1') === 'PK'
  } finally {
    await file.close()
  }
}

async function filesIn(folder: string): Promise<SkillFiles> {
  const isEmpty = (await readdir(folder)).length === 0
  const paths = isEmpty ? [] : await packageFiles(folder)
  const files = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(join(folder, path))).size })))
  return folderFiles(folder, files, basename(folder))
}

async function openZip(archive: string): Promise<SkillSource> {
  const scratch = await mkdtemp(join(tmpdir(), 'skillet-validate-'))
  const close = (): Promise<void> => rm(scratch, { recursive: true, force: true })
  try {
    const { findings, unpacked, folder } = await unpack({ archive, targetDir: join(scratch, 'files'), limits: LIMITS })
    if (unpacked === null) return { files: null, findings, folder: null, close }
    const { dir, files } = unpacked
    return {
      files: folderFiles(dir, files, folder ?? null),
      findings,
      folder: null,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
