import { type FileHandle, open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { NewApiKey } from '../access/key-service.ts'
import type { Call } from './call.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Option of the commands that make a key. */
export const OUTPUT_OPTION = [
  '--output <file>',
  'write the key to this new file, readable by you only, instead of showing it',
] as const

/**
 * Has a key made and shows it this once: on stdout, or in a new file. The file is opened first: a key that was made and could not be
 * kept would be lost.
 * @param shape What is shown as JSON, given the key as it may be shown: without itself when it went to a file.
 */
export async function makeAndShow<Made>(
  call: Call<{ output?: string }>,
  make: () => Promise<Made>,
  shape: { key: (made: Made) => NewApiKey; json: (made: Made, key: object) => object; title: (made: Made) => string },
): Promise<void> {
  const { io, options } = call
  const file = options.output === undefined ? null : resolve(io.cwd, options.output)
  const made = file === null ? await make() : await intoFile(file, make, (one) => shape.key(one).key)
  const { key, ...row } = shape.key(made)
  if (options.json !== true)
    io.err(`${shape.title(made)} ${file === null ? 'Shown this once:' : `Written to ${file}.`}\n`)
  call.show(shape.json(made, file === null ? { ...row, key } : { ...row, key_file: file }), () =>
    file === null ? `${key}\n` : '',
  )
}

async function intoFile<Made>(file: string, make: () => Promise<Made>, keyOf: (made: Made) => string): Promise<Made> {
  const handle = await openNew(file)
  let kept = false
  try {
    const made = await make()
    await handle.writeFile(`${keyOf(made)}\n`)
    await handle.sync()
    kept = true
    return made
  } finally {
    await handle.close()
    if (!kept) await rm(file, { force: true })
  }
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', 0o600)
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new CliError(EXIT.usage, `The key cannot be written to ${file}.`, {
      why: exists ? 'There is such a file already.' : (error as Error).message,
      fix: 'Name a new file in a folder that is yours. No key was made.',
      cause: error,
    })
  }
}
