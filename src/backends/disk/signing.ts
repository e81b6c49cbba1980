import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { SkilletError } from '../../model/errors.ts'

/** What an upload URL is bound to. */
export interface UploadTerms {
  readonly id: string
  /** Bytes. */
  readonly size: number
  /** 64 hex digits. */
  readonly sha256: string
  /** RFC 3339. */
  readonly expires_at: string
}

export interface Signer {
  /** Path and query of the signed URL. */
  sign(terms: UploadTerms): string
  /**
   * The terms of a URL that this server signed.
   * @throws SkilletError upload_tampered, upload_expired
   */
  verify(url: URL, now?: number): UploadTerms
}

const PATH = '/api/uploads/'

/** HMAC-SHA256 over every term, so that none can be changed; the secret survives restarts in a file of mode 0600. */
export async function openSigner(secretFile: string): Promise<Signer> {
  const secret = await readOrMakeSecret(secretFile)

  const mac = ({ id, size, sha256, expires_at }: UploadTerms): Buffer =>
    createHmac('sha256', secret).update(['upload.v1', id, size, sha256, expires_at].join('\n')).digest()

  return {
    sign(terms) {
      const query = new URLSearchParams({
        expires: terms.expires_at,
        size: String(terms.size),
        sha256: terms.sha256,
        signature: mac(terms).toString('hex'),
      })
      return `${PATH}${terms.id}?${query.toString()}`
    },

    verify(url, now = Date.now()) {
      const terms = {
        id: url.pathname.slice(PATH.length),
        size: Number(url.searchParams.get('size')),
        sha256: url.searchParams.get('sha256') ?? '',
        expires_at: url.searchParams.get('expires') ?? '',
      }
      const given = Buffer.from(url.searchParams.get('signature') ?? '', 'hex')
      const expected = mac(terms)
      if (!url.pathname.startsWith(PATH) || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new SkilletError('upload_tampered', 'The signature of the upload URL does not fit the rest of it.')
      }
      if (Date.parse(terms.expires_at) <= now) {
        throw new SkilletError('upload_expired', `The upload URL was good until ${terms.expires_at}.`)
      }
      return terms
    },
  }
}

async function readOrMakeSecret(file: string): Promise<Buffer> {
  try {
    const made = await open(file, 'wx', 0o600)
    try {
      const secret = randomBytes(32)
      await made.writeFile(secret)
      await made.sync()
      return secret
    } finally {
      await made.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const secret = await readFile(file)
  if (secret.length !== 32) throw new Error(`${file} does not hold a 32-byte secret: delete it, and a new one is made.`)
  return secret
}
