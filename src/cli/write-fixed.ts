import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FixedFile } from '../packages/fixes/fixed-file.ts'

/** Each file whole or not at all, with the rights that it had. */
export async function writeFixed(folder: string, fixed: readonly FixedFile[]): Promise<void> {
  for (const { path, after } of fixed) {
    const target = join(folder, path)
    const { mode } = await stat(target)
    const draft = `${target}.${process.pid}.tmp`
    try {
      const file = await open(draft, 'wx', mode & 0o777)
      try {
        await file.writeFile(after)
        await file.chmod(mode & 0o777)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, target)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  }
}
