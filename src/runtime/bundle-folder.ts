import { randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** An unpacked bundle: what it takes on the disk, in bytes, and when it was last used, in milliseconds since 1970. */
export interface ShelvedBundle {
  readonly bytes: number
  usedAt: number
}

/** Where unpacked bundles lie. It never holds half of one under the name of a whole one, whenever the server is killed. */
export interface BundleFolder {
  pathOf(blob: string): string
  /** Those that are there. Begins to remove what a killed server left half made or half removed. */
  read(): Promise<Map<string, ShelvedBundle>>
  /** @param fill Unpacks into the empty folder that it is given. @returns What it wrote, in bytes. */
  add(blob: string, fill: (folder: string) => Promise<number>): Promise<number>
  /** Notes that it is used. @returns Whether it is there at all. */
  touch(blob: string, usedAt: number): Promise<boolean>
  /** Takes it out of sight at once. @returns What removes the rest of it. */
  hide(blob: string): Promise<() => Promise<void>>
  /** Until what `read` began is done. */
  settled(): Promise<void>
}

/**
 * A bundle is a folder and, beside it, a note: the text of the note is its size, the time of the note its last use. The note is there
 * before the folder has its name. Everything that is being made or removed has another name.
 */
export function createBundleFolder(folder: string, onError: (error: unknown, doing: string) => void): BundleFolder {
  const pathOf = (blob: string): string => join(folder, blob)
  const noteOf = (blob: string): string => join(folder, `${blob}${NOTE}`)
  const passing = (): string => join(folder, `${PASSING}${randomUUID()}`)
  let leftovers: Promise<unknown> = Promise.resolve()

  async function hide(blob: string): Promise<() => Promise<void>> {
    const hidden = passing()
    await rename(pathOf(blob), hidden).catch(ifMissing)
    // Now, as one that is unpacked meanwhile has a note of its own.
    await rm(noteOf(blob), { force: true })
    return () => rm(hidden, { recursive: true, force: true })
  }

  async function read(): Promise<Map<string, ShelvedBundle>> {
    const found = new Map<string, ShelvedBundle>()
    const names = new Set(await readdir(folder))
    const left = [...names].filter((name) => name.startsWith(PASSING))
    for (const name of names) {
      if (name.startsWith(PASSING)) continue
      const blob = name.endsWith(NOTE) ? name.slice(0, -NOTE.length) : name
      const bundle = names.has(blob) ? await readNote(noteOf(blob)) : null
      if (bundle !== null) {
        found.set(blob, bundle)
        continue
      }
      // One without the other: they come together, or not at all.
      const hidden = passing()
      await rename(join(folder, name), hidden).catch(ifMissing)
      left.push(hidden.slice(folder.length + 1))
    }
    leftovers = removeAll(left)
    return found
  }

  async function removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) =>
        onError(error, 'removing what was left of a bundle'),
      )
    }
  }

  return {
    pathOf,
    read,
    hide,

    async add(blob, fill) {
      const partial = passing()
      await mkdir(partial, { mode: 0o755 })
      try {
        const bytes = await fill(partial)
        await writeFile(noteOf(blob), `${bytes}\n`)
        await rename(partial, pathOf(blob))
        return bytes
      } catch (error) {
        await rm(noteOf(blob), { force: true })
        throw error
      } finally {
        await rm(partial, { recursive: true, force: true })
      }
    },

    async touch(blob, usedAt) {
      if ((await stat(pathOf(blob)).catch(ifMissing)) === null) return false
      // Without its note it serves, until the next start.
      await utimes(noteOf(blob), usedAt / 1000, usedAt / 1000).catch(ifMissing)
      return true
    },

    settled: async () => void (await leftovers),
  }
}

const PASSING = 'partial-'
const NOTE = '.size'

/** Null: there is none, or it was cut off. */
async function readNote(path: string): Promise<ShelvedBundle | null> {
  const text = await readFile(path, 'utf8').catch(ifMissing)
  if (text === null || !/^\d+\n$/.test(text)) return null
  return { bytes: Number(text), usedAt: Math.min((await stat(path)).mtimeMs, Date.now()) }
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
