import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** A value as it is stored, in base64: under a data key of its own, which is stored wrapped with the master key. */
export interface Envelope {
  readonly wrapped: string
  readonly sealed: string
}

/** What the value belongs to. An envelope that is moved elsewhere does not open there. */
export interface Place {
  readonly path: string
  readonly revision: number
}

export function seal(place: Place, value: string, master: Uint8Array): Envelope {
  const data = randomBytes(KEY_BYTES)
  const sealed = encrypt(data, place, 'value', Buffer.from(value, 'utf8'))
  const wrapped = encrypt(master, place, 'key', data)
  data.fill(0)
  return { wrapped, sealed }
}

/** @throws Error when it was sealed elsewhere, under another master key, or was changed. */
export function unseal(place: Place, { wrapped, sealed }: Envelope, master: Uint8Array): string {
  const data = decrypt(master, place, 'key', wrapped)
  const value = decrypt(data, place, 'value', sealed).toString('utf8')
  data.fill(0)
  return value
}

/** The same data key under another master key: the value itself is not touched. @throws Error as `unseal` does */
export function rewrap(place: Place, wrapped: string, from: Uint8Array, to: Uint8Array): string {
  const data = decrypt(from, place, 'key', wrapped)
  const fresh = encrypt(to, place, 'key', data)
  data.fill(0)
  return fresh
}

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Nonce, what was encrypted, tag. */
function encrypt(key: Uint8Array, place: Place, what: 'key' | 'value', plain: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound(place, what))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

function decrypt(key: Uint8Array, place: Place, what: 'key' | 'value', text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('It is cut off.')
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(bound(place, what))
    .setAuthTag(bytes.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
}

/** As JSON, so that no two places read the same. */
const bound = ({ path, revision }: Place, what: 'key' | 'value'): Buffer =>
  Buffer.from(JSON.stringify(['skillet', what, path, revision]))
