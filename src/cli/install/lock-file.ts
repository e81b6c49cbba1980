import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { PackageFile } from '../../model/packages.ts'
import { SignatureEnvelope } from '../../model/signatures.ts'
import { Name } from '../../model/skills.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'

/** In the folder of a project: what was installed into it, from where. Made to be committed. */
export const LOCK_FILE = 'skillet.lock.json'

/** A skill that was installed. */
export const LockedSkill = z.strictObject({
  server: z.string().max(2000),
  skill: Name,
  /** What was asked for: a version, `latest`, or the name of a stage. An update asks for it again. */
  wanted: z.string().min(1).max(100),
  version: z.string().min(1).max(100),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  files: z.array(PackageFile),
  /** What the server signed of it, and the key that it named then. */
  signature: SignatureEnvelope,
  key: z.strictObject({ id: z.string(), public_key: z.string() }),
})
export type LockedSkill = z.infer<typeof LockedSkill>

/** By the folder of each skill, relative to the project, with `/`. */
const Lock = z.strictObject({
  lockfile_version: z.literal(1),
  skills: z.record(z.string().max(1000), LockedSkill),
})
export type Lock = Readonly<Record<string, LockedSkill>>

/** What is locked in a project; nothing where there is no lock file. @throws CliError when it is none of ours */
export async function readLock(project: string): Promise<Lock> {
  const file = join(project, LOCK_FILE)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw unusable(file, (error as Error).message)
  }
  const found = Lock.safeParse(parse(file, text))
  if (!found.success) throw unusable(file, z.prettifyError(found.error))
  return found.data.skills
}

/** Whole or not at all. */
export async function writeLock(project: string, skills: Lock): Promise<void> {
  const file = join(project, LOCK_FILE)
  const draft = `${file}.${process.pid}.tmp`
  const sorted = Object.fromEntries(Object.entries(skills).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  try {
    const handle = await open(draft, 'wx')
    try {
      await handle.writeFile(`${JSON.stringify({ lockfile_version: 1, skills: sorted }, null, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unusable(file, (error as Error).message)
  }
}

const unusable = (file: string, why: string): CliError =>
  new CliError(EXIT.failed, `The lock file ${file} cannot be used.`, {
    why,
    fix: 'Take it from the history of the project, or remove it and install the skills again.',
  })
