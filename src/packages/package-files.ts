import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Blobs } from '../backends/ports.ts'
import type { ArchiveBlob, ArchiveLayout, CatalogueStore } from '../backends/catalogue-ports.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import type { Package, PackageFile } from '../model/packages.ts'
import { LIMITS } from '../model/sizes.ts'
import type { PackRequest } from './pack.ts'
import type { PackageReader } from './package-reader.ts'

/** The folder of the files, in that of an unpacked archive. */
export const PACKAGE_FILES = 'files'

/** A package's files on this machine for as long as they are in use. */
interface FolderUse {
  readonly folder: string
  release(): void
}

/** Bytes of a file: from `start`, up to but not with `end`. Default: all of it. */
export interface Range {
  readonly start: number
  readonly end?: number | undefined
}

export interface PackageFiles {
  /**
   * Level 3 of progressive disclosure.
   * @throws SkilletError not_found when the package has no such file; file_too_large when more than LIMITS.fileReadBytes are asked for
   */
  read(source: Package, path: string, range?: Range): Promise<{ file: PackageFile; bytes: Buffer }>
  /** The same as it is read: little of it is in memory, however slowly it is taken. Whoever asks has to take it, or to cancel. */
  stream(source: Package, path: string, range?: Range): Promise<ReadableStream<Uint8Array>>
  /**
   * The package as a zip that is the same whenever and wherever it is made: plain files, not compressed, without times.
   * A folder in it has the name that the package gives itself, as readers demand who look into its SKILL.md.
   */
  archive(tenant: string, source: Package, layout: ArchiveLayout): Promise<ArchiveBlob>
  /** Those of such archives that were made before, by the digests of their packages. */
  made(tenant: string, digests: readonly string[], layout: ArchiveLayout): Promise<ReadonlyMap<string, ArchiveBlob>>
  /** The bytes of such an archive. */
  open(archive: ArchiveBlob): Promise<ReadableStream<Uint8Array>>
}

export function createPackageFiles(parts: {
  /** Unpacked archives, by their blob. */
  readonly folders: { ensure(archiveBlob: string): Promise<FolderUse> }
  readonly blobs: Pick<Blobs, 'put' | 'read' | 'has'>
  readonly archives: Pick<CatalogueStore, 'findArchive' | 'findArchives' | 'keepArchive'>
  readonly reader: Pick<PackageReader, 'pack'>
}): PackageFiles {
  const { folders, blobs, archives, reader } = parts
  const making = new Map<string, Promise<ArchiveBlob>>()

  async function make(tenant: string, source: Package, layout: ArchiveLayout): Promise<ArchiveBlob> {
    const known = await archives.findArchive(tenant, source.digest, layout)
    if (known !== null && (await blobs.has(known.sha256))) return known
    const use = await folders.ensure(source.archive_blob)
    try {
      const dir = join(use.folder, PACKAGE_FILES)
      const zip = await reader.pack({ dir, files: source.files, ...LAYOUTS[layout](source) })
      const made = await blobs.put(one(new Uint8Array(zip)), { maxBytes: zip.byteLength })
      await archives.keepArchive(tenant, source.digest, layout, made)
      return made
    } finally {
      use.release()
    }
  }

  return {
    async read(source, path, range) {
      const { file, from, length } = partOf(source, path, range)
      const use = await folders.ensure(source.archive_blob)
      try {
        const handle = await open(join(use.folder, PACKAGE_FILES, path))
        try {
          const bytes = Buffer.alloc(length)
          for (let at = 0; at < length;) {
            const { bytesRead } = await handle.read(bytes, at, length - at, from + at)
            if (bytesRead === 0) throw new Error(`The unpacked "${path}" of ${source.digest} is too short.`)
            at += bytesRead
          }
          return { file, bytes }
        } finally {
          await handle.close()
        }
      } finally {
        use.release()
      }
    },

    async stream(source, path, range) {
      const { from, length } = partOf(source, path, range)
      if (length === 0) return Readable.toWeb(Readable.from([])) as ReadableStream<Uint8Array>
      const use = await folders.ensure(source.archive_blob)
      const bytes = createReadStream(join(use.folder, PACKAGE_FILES, path), { start: from, end: from + length - 1 })
      bytes.once('close', () => use.release())
      await once(bytes, 'open')
      return Readable.toWeb(bytes) as ReadableStream<Uint8Array>
    },

    archive(tenant, source, layout) {
      const key = `${tenant} ${source.digest} ${layout}`
      const work = making.get(key) ?? make(tenant, source, layout).finally(() => making.delete(key))
      making.set(key, work)
      return work
    },

    made: (tenant, digests, layout) => archives.findArchives(tenant, digests, layout),

    async open({ sha256 }) {
      return Readable.toWeb(await blobs.read(sha256)) as ReadableStream<Uint8Array>
    },
  }
}

/** @throws SkilletError not_found, file_too_large */
function partOf(source: Package, path: string, { start, end }: Range = { start: 0 }) {
  const file = source.files.find((known) => known.path === path)
  if (file === undefined) throw notFound('file', path.slice(0, LIMITS.pathChars))
  const from = Math.min(start, file.size)
  const length = Math.max(0, Math.min(end ?? file.size, file.size) - from)
  if (length <= LIMITS.fileReadBytes) return { file, from, length }
  throw new SkilletError('file_too_large', `${length} bytes of "${path}" were asked for.`, {
    data: { max_bytes: LIMITS.fileReadBytes },
  })
}

const LAYOUTS: Readonly<Record<ArchiveLayout, (source: Package) => Omit<PackRequest, 'dir' | 'files'>>> = {
  folder: ({ name }) => ({ prefix: `${name}/` }),
  root: () => ({ prefix: '', capitals: true }),
  // Not at its root: what a package has in folders such as hooks/ would be more than files of a skill there.
  plugin: ({ name, description }) => ({
    capitals: true,
    prefix: `skills/${name}/`,
    extra: [{ path: '.claude-plugin/plugin.json', text: `${JSON.stringify({ name, description }, null, 2)}\n` }],
  }),
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
