import { mkdir, open } from 'node:fs/promises'
import { LIMITS } from '../../model/sizes.ts'
import { unpack } from '../../packages/zip/unpack.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { unpackTar } from './unpack-tar.ts'

/** A repository holds more than a skill may. */
const REPOSITORY = { ...LIMITS, packageEntries: 20_000, packageBytes: 500 * 2 ** 20 }

/** Unpacks a zip or a tar.gz into a new folder, by what it begins with. @returns What was left out. @throws CliError */
export async function unpackArchive(archive: string, target: string, what: string): Promise<string[]> {
  const kind = await archiveKind(archive)
  if (kind === 'tar.gz') {
    await mkdir(target)
    const leftOut = await unpackTar(archive, target, REPOSITORY)
    return leftOut === 0 ? [] : [`${leftOut} link(s) in ${what} were left out`]
  }
  if (kind === null) throw refused(what, 'It is neither a zip nor a tar.gz.')
  const { findings, unpacked } = await unpack({ archive, targetDir: target, limits: REPOSITORY })
  if (unpacked !== null) return []
  throw refused(
    what,
    findings
      .map(({ message }) => message)
      .slice(0, 5)
      .join(' '),
  )
}

/** By what it begins with; null: it is none. */
export async function archiveKind(file: string): Promise<'zip' | 'tar.gz' | null> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    const begin = buffer.subarray(0, bytesRead).toString('latin1')
    return begin === 'PK' ? 'zip' : begin === '\x1f\x8b' ? 'tar.gz' : null
  } finally {
    await handle.close()
  }
}

const refused = (what: string, why: string): CliError =>
  new CliError(EXIT.failed, `${what} cannot be unpacked.`, { why, fix: 'Unpack it yourself, and name the folder.' })
