import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Manifest } from '../upkeep/backup-format.ts'
import { readBackup } from '../upkeep/read-backup.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/**
 * Writes a backup into a new file that only its owner can read, and checks it on the way: there is such a file when it is whole, and not before.
 * @param onProgress Told how many of how many bytes are there.
 */
export async function saveBackup(
  source: AsyncIterable<Uint8Array>,
  file: string,
  onProgress: (bytes: number, of: number) => void,
): Promise<{ manifest: Manifest; bytes: number }> {
  if (await exists(file)) throw notWritable(file, 'There is such a file already.')
  const draft = `${file}.part`
  // Of one that was broken off.
  await rm(draft, { force: true })
  const handle = await open(draft, 'wx', 0o600).catch((error: Error) => {
    throw notWritable(file, error.message, error)
  })
  try {
    const written = { bytes: 0 }
    let [done, all] = [0, 0]
    const manifest = await readBackup(copied(source, handle, written), {
      async begin({ members }) {
        all = members.reduce((sum, { size }) => sum + size, 0)
      },
      async member(_, content) {
        for await (const chunk of content) onProgress((done += chunk.length), all)
      },
    })
    await handle.sync()
    await rename(draft, file)
    await using folder = await open(dirname(file), 'r')
    await folder.sync()
    return { manifest, bytes: written.bytes }
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

async function* copied(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  written: { bytes: number },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    await handle.writeFile(chunk)
    written.bytes += chunk.length
    yield chunk
  }
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

function notWritable(file: string, why: string, cause?: Error): CliError {
  return new CliError(EXIT.usage, `The backup cannot be written to ${file}.`, {
    why,
    fix: 'Name a new file in a folder that is yours.',
    cause,
  })
}
