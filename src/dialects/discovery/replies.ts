import { hash } from 'node:crypto'
import type { ArchiveBlob } from '../../backends/catalogue-ports.ts'
import type { Reply } from '../../http/reply.ts'
import type { AnyCall } from '../../http/route.ts'
import type { Services } from '../../http/services.ts'
import { signatureHeaders } from '../../http/signature-headers.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import type { PackageFile } from '../../model/packages.ts'
import type { Shelf } from './shelf.ts'

type Asked = Pick<AnyCall, 'header' | 'request'>

/** What is at this address may change: it is asked for again each time, and sent only if it did. */
export function changingReply(call: Asked, { caching }: Pick<Shelf, 'caching'>, content: string, type: string): Reply {
  const etag = `"${hash('sha256', content)}"`
  const headers = { etag, 'cache-control': `${caching}, no-cache` }
  if (isKnown(call, etag)) return { status: 304, headers }
  return { status: 200, type, headers, content }
}

/** The same for a file, whose digest is known. */
export async function fileReply(
  call: Asked,
  { caching }: Pick<Shelf, 'caching'>,
  { sha256, size }: Pick<PackageFile, 'sha256' | 'size'>,
  type: string,
  open: () => Promise<Pick<Reply, 'stream'>>,
): Promise<Reply> {
  const etag = `"${sha256}"`
  const headers = { etag, 'cache-control': `${caching}, no-cache` }
  if (isKnown(call, etag)) return { status: 304, headers }
  const about = { 'content-type': type, 'content-length': String(size) }
  // Nothing is opened that nobody reads.
  const payload = call.request().method === 'HEAD' ? {} : await open()
  return { status: 200, type, headers: { ...headers, ...about }, ...payload }
}

/** A skill as an artifact, with its signature. The address has the digest in it: what is there stays what it is. */
export async function lastingReply(
  call: Asked,
  { caching }: Pick<Shelf, 'caching'>,
  { signing }: Pick<Services, 'signing'>,
  entry: CatalogueEntry,
  what: { readonly type: string; readonly sha256: string; readonly size: number; readonly name?: string },
  open: () => Promise<Pick<Reply, 'stream'>>,
): Promise<Reply> {
  const etag = `"${what.sha256}"`
  const headers = { etag, 'cache-control': `${caching}, max-age=31536000, immutable` }
  if (isKnown(call, etag)) return { status: 304, headers }
  const about = {
    ...(await signatureHeaders(signing, entry)),
    'content-type': what.type,
    'content-length': String(what.size),
    ...(what.name !== undefined && { 'content-disposition': `attachment; filename="${what.name}"` }),
  }
  // Nothing is opened that nobody reads.
  const payload = call.request().method === 'HEAD' ? {} : await open()
  return { status: 200, type: what.type, headers: { ...headers, ...about }, ...payload }
}

/** A zip that was made of a package. */
export const archiveReply = (
  call: Asked,
  shelf: Pick<Shelf, 'caching'>,
  services: Pick<Services, 'files' | 'signing'>,
  entry: CatalogueEntry,
  archive: ArchiveBlob,
): Promise<Reply> =>
  lastingReply(
    call,
    shelf,
    services,
    entry,
    { ...archive, type: 'application/zip', name: `${entry.name}.zip` },
    async () => ({
      stream: await services.files.open(archive),
    }),
  )

function isKnown(call: Asked, etag: string): boolean {
  const known = call.header('if-none-match')
  return known !== undefined && known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
