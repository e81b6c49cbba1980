import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SkilletError } from '../../model/errors.ts'
import type { Upload } from '../../model/skills.ts'
import { syncFolder } from './files.ts'

/** What the signature of an upload URL vouches for. */
export type SignedUpload = Pick<Upload, 'id' | 'size' | 'sha256' | 'expires_at'>

/** The path below which uploads are PUT; the id follows. */
export const UPLOAD_PATH = '/api/uploads/'

const SECRET_BYTES = 32

export interface Signer {
  /** `<baseUrl>/api/uploads/<id>?expires=…&size=…&sha256=…&signature=…` */
  sign(upload: SignedUpload, baseUrl: string): URL
  /** What the URL was signed for. @throws SkilletError upload_tampered, upload_expired */
  verify(url: URL, at?: number): SignedUpload
}

export function createSigner(secret: Uint8Array): Signer {
  const signature = (upload: SignedUpload): Buffer =>
    // A newline is in none of the parts, so that no two uploads read the same.
    createHmac('sha256', secret)
      .update(['upload', upload.id, upload.expires_at, upload.size, upload.sha256].join('\n'))
      .digest()

  return {
    sign(upload, baseUrl) {
      const url = new URL(baseUrl.replace(/\/+$/, '') + UPLOAD_PATH + encodeURIComponent(upload.id))
      url.searchParams.set('expires', upload.expires_at)
      url.searchParams.set('size', String(upload.size))
      url.searchParams.set('sha256', upload.sha256)
      url.searchParams.set('signature', signature(upload).toString('base64url'))
      return url
    },

    verify(url, at = Date.now()) {
      const upload = read(url)
      const given = Buffer.from(url.searchParams.get('signature') ?? '', 'base64url')
      const right = signature(upload)
      if (given.length !== right.length || !timingSafeEqual(given, right))
        throw tampered('its signature does not match')
      if (Date.parse(upload.expires_at) <= at) {
        throw new SkilletError('upload_expired', `The upload URL was good until ${upload.expires_at}.`)
      }
      return upload
    },
  }
}

/** The secret in that file, made at the first start. Whoever has it can sign uploads: readable by its owner only. */
export async function readSecret(file: string): Promise<Uint8Array> {
  const known = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (known === null) return makeSecret(file)
  if (known.length === SECRET_BYTES) return known
  throw new Error(
    `The secret file "${file}" has ${known.length} bytes instead of ${SECRET_BYTES}. Remove it and a new one is made; upload URLs given out so far then stop working.`,
  )
}

async function makeSecret(file: string): Promise<Uint8Array> {
  const secret = randomBytes(SECRET_BYTES)
  const fresh = `${file}.${randomUUID()}`
  try {
    await using handle = await open(fresh, 'wx', 0o600)
    await handle.writeFile(secret)
    await handle.sync()
    // Not a rename: that would replace a secret that somebody else made meanwhile.
    await link(fresh, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await readSecret(file)
    throw error
  } finally {
    await rm(fresh, { force: true })
  }
  await syncFolder(dirname(file))
  return secret
}

function read(url: URL): SignedUpload {
  const { pathname, searchParams: query } = url
  const at = pathname.lastIndexOf(UPLOAD_PATH)
  if (at < 0) throw tampered('it is not the address of an upload')
  const names = [...query.keys()]
  if (names.length !== new Set(names).size) throw tampered('it gives a parameter twice')
  const size = query.get('size') ?? ''
  if (!/^\d{1,15}$/.test(size)) throw tampered('it gives no size')
  return {
    id: decode(pathname.slice(at + UPLOAD_PATH.length)),
    size: Number(size),
    sha256: query.get('sha256') ?? '',
    expires_at: query.get('expires') ?? '',
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw tampered('its id cannot be decoded')
  }
}

function tampered(why: string): SkilletError {
  return new SkilletError('upload_tampered', `The upload URL is not one that this server signed: ${why}.`)
}
