import { link, open, readFile, rm, unlink } from 'node:fs/promises'
import { type KeyParts, describeKey, isKey, newKey } from './keys.ts'

/**
 * The key that an interrupted start left in the file, or a new one, synced to disk under that name all or nothing, readable by its
 * owner only. What is in the file comes before what is in the state: a crash between the two must not leave a key that nobody ever saw.
 * @param isUsed Whether a key with this hash was made before: it cannot be made again, and is replaced.
 */
export async function keyInFile(file: string, isUsed: (hash: string) => Promise<boolean>): Promise<KeyParts> {
  const left = await readKeyFile(file)
  if (left !== null && isKey(left)) {
    const parts = describeKey(left)
    if (!(await isUsed(parts.hash))) return parts
  }
  if (left !== null) await unlink(file)
  const fresh = newKey()
  const draft = `${file}.new`
  // Of a start that was killed just here.
  await rm(draft, { force: true })
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${fresh.key}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
  return fresh
}

/** What the file holds; null when there is none. */
export async function readKeyFile(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
