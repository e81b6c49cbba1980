import { hash, randomBytes } from 'node:crypto'
import type { ApiKey } from '../model/access.ts'

/** An API key, or the token of a link. `key` is shown once and kept nowhere; `hash` is what is stored; `prefix` is what people recognise it by. */
export interface KeyParts {
  readonly key: string
  readonly hash: string
  readonly prefix: string
}

/** 32 random bytes behind a fixed start, so that secret scanners and people can tell what it is. */
export function newKey(): KeyParts {
  return describeKey(PREFIX + base62(randomBytes(32)))
}

/** The token in the URL of a link: as hard to guess as a key, and never taken for one. */
export function newLinkToken(): KeyParts {
  return describeKey(LINK_PREFIX + base62(randomBytes(32)))
}

/** What is stored and shown of a key. */
export function describeKey(key: string): KeyParts {
  return { key, hash: hashKey(key), prefix: key.slice(0, SHOWN) }
}

/** SHA-256 in hex. A plain hash suffices: nobody guesses 256 random bits, so there is nothing to slow down. */
export function hashKey(key: string): string {
  return hash('sha256', key)
}

/** Neither revoked nor expired. */
export function isInForce(key: Pick<ApiKey, 'expires_at' | 'revoked_at'>, at: number = Date.now()): boolean {
  return key.revoked_at === null && (key.expires_at === null || Date.parse(key.expires_at) > at)
}

/** Whether the text can be a key at all; what cannot is refused before the state is asked. */
export function isKey(text: string): boolean {
  return FORM.test(text)
}

/** The same of the token of a link. */
export function isLinkToken(text: string): boolean {
  return LINK_FORM.test(text)
}

/** Tokens of links among other text, as what may be shown of them. */
export function withoutLinkTokens(text: string): string {
  return text.replaceAll(LINKS_WITHIN, (token) => `${token.slice(0, SHOWN)}…`)
}

const PREFIX = 'sk_'
const LINK_PREFIX = 'lk_'
/** 62^43 > 2^256: every value of 32 bytes fits into 43 characters. */
const LENGTH = 43
/** `sk_` and eight characters: enough to tell keys apart, and 208 bits stay unknown. */
const SHOWN = PREFIX.length + 8
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${LENGTH}}$`)
const LINK_FORM = new RegExp(`^${LINK_PREFIX}[0-9A-Za-z]{${LENGTH}}$`)
const LINKS_WITHIN = new RegExp(`${LINK_PREFIX}[0-9A-Za-z]{${LENGTH}}`, 'g')
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function base62(bytes: Buffer): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (let i = 0; i < LENGTH; i++) {
    text = DIGITS[Number(rest % 62n)]! + text
    rest /= 62n
  }
  return text
}
