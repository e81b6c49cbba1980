import { link, open, rm } from 'node:fs/promises'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/**
 * Writes a file that was not there before: it is there when it is whole, and has passed the check.
 * @param check Given where the bytes lie until then; throws what is wrong with them.
 * @throws CliError when there is such a file, or none can be made
 */
export async function writeNewFile<Checked>(
  file: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  check: (draft: string) => Promise<Checked>,
): Promise<Checked> {
  const draft = `${file}.part`
  // Of one that was broken off.
  await rm(draft, { force: true })
  const handle = await open(draft, 'wx').catch((error: Error) => {
    throw notWritable(file, error)
  })
  try {
    try {
      for await (const chunk of bytes) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
    const checked = await check(draft)
    // Unlike a renaming, this replaces nothing.
    await link(draft, file).catch((error: Error) => {
      throw notWritable(file, error)
    })
    return checked
  } finally {
    await rm(draft, { force: true })
  }
}

function notWritable(file: string, error: NodeJS.ErrnoException): CliError {
  return new CliError(EXIT.usage, `${file} cannot be written.`, {
    why: error.code === 'EEXIST' ? 'There is such a file already.' : error.message,
    fix: 'Name a new file in a folder that is yours.',
    cause: error,
  })
}
