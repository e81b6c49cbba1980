import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Place } from './place.ts'

/** A folder beside the skill, on the same disk, whose name no client takes for a skill. Removed in the end. */
export async function withDraft<T>({ folder }: Place, work: (draft: string) => Promise<T>): Promise<T> {
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true })
  const draft = await mkdtemp(join(parent, '.skillet-'))
  try {
    return await work(draft)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** The files take the place of what is there: renamed, so that nobody ever sees half of them. @param draft Takes what was there. */
export async function swap(files: string, { folder }: Place, draft: string): Promise<void> {
  const old = join(draft, 'old')
  const before = await moved(folder, old)
  try {
    await rename(files, folder)
  } catch (error) {
    if (before) await rename(old, folder)
    throw error
  }
}

/** The skill is gone, all at once. @param draft Takes what was there. */
export async function takeAway({ folder }: Place, draft: string): Promise<void> {
  await moved(folder, join(draft, 'old'))
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
