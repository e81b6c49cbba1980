import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LIMITS } from '../../model/sizes.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { download } from './download.ts'
import { archiveKind, unpackArchive } from './unpack-archive.ts'
import { WELL_KNOWN, fetchIndexed, readIndex } from './well-known.ts'

/** Skills of somebody else, as a folder on this machine. */
export interface Repository {
  readonly folder: string
  /** What of it could not be taken. */
  readonly faults: readonly string[]
  /** Removes what was fetched and unpacked. */
  close(): Promise<void>
}

/** @param source A folder, a zip, a tar.gz, or the URL of one or of an index of skills. @throws CliError */
export async function openRepository(source: string, cwd: string, signal: AbortSignal): Promise<Repository> {
  const isUrl = /^[a-z][a-z+.-]*:\/\//i.test(source)
  const path = resolve(cwd, source)
  if (!isUrl && (await isFolder(path))) return { folder: path, faults: [], close: () => Promise.resolve() }
  const scratch = await mkdtemp(join(tmpdir(), 'skillet-import-'))
  const close = (): Promise<void> => rm(scratch, { recursive: true, force: true })
  try {
    const folder = join(scratch, 'skills')
    const faults = isUrl
      ? await fetched(urlOf(source), scratch, folder, signal)
      : await unpackArchive(path, folder, source)
    return { folder, faults, close }
  } catch (error) {
    await close()
    throw error
  }
}

function urlOf(source: string): URL {
  const url = URL.parse(source)
  if (url !== null) return url
  throw usageError(`"${source}" is no URL.`, 'Write it as https://host/path.')
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: Error) => {
    throw usageError(
      `${path} cannot be read: ${error.message}`,
      'Name a folder, a zip, a tar.gz, or the https URL of one.',
    )
  })
  return found.isDirectory()
}

async function fetched(url: URL, scratch: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const file = join(scratch, 'download')
  const there = await download(url, file, signal)
  if (there !== null) {
    if ((await archiveKind(file)) !== null) return unpackArchive(file, folder, `What ${url.origin} sent`)
    if (there.bytes <= INDEX_BYTES) {
      const index = readIndex(await readFile(file, 'utf8'))
      if (index !== null) return indexed(index, there.url, folder, signal)
    }
  }
  // A site, or a place on one, that has its skills where they are looked for.
  const place = new URL(url)
  place.pathname = `${place.pathname.replace(/\/$/, '')}/${WELL_KNOWN}`
  await rm(file, { force: true })
  const listed = await download(place, file, signal, INDEX_BYTES)
  const index = listed === null ? null : readIndex(await readFile(file, 'utf8'))
  if (index !== null && listed !== null) return indexed(index, listed.url, folder, signal)
  throw new CliError(EXIT.failed, `There are no skills at ${url.origin}.`, {
    why: 'What is there is no zip, no tar.gz and no index of skills, and there is none at its well-known place.',
    fix: 'Give the URL of an archive of the repository, or of the index itself.',
  })
}

/** The largest index that is read. */
const INDEX_BYTES = 16 * LIMITS.bodyBytes

async function indexed(...[index, url, folder, signal]: Parameters<typeof fetchIndexed>): Promise<string[]> {
  await mkdir(folder)
  return fetchIndexed(index, url, folder, signal)
}
