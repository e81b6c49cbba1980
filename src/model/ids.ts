import { hash, randomBytes, randomFillSync } from 'node:crypto'

/** Every kind of id and its prefix. Ids sort by the time they were made. */
const PREFIXES = {
  tenant: 'ten',
  key: 'key',
  grant: 'gra',
  link: 'lnk',
  secret: 'sec',
  skill: 'skl',
  stage: 'stg',
  version: 'ver',
  upload: 'upl',
  deployment: 'dep',
  run: 'run',
  delivery: 'msg',
  request: 'req',
} as const

export type IdKind = keyof typeof PREFIXES

/** A new id: prefix, 10 characters of milliseconds since 1970, 16 characters (80 bits) of randomness, Crockford base32. */
export function newId(kind: IdKind, now: number = Date.now()): string {
  return `${PREFIXES[kind]}_${timePart(now)}${randomPart()}`
}

/**
 * An id in the form of a new one that is the same whenever it is made of the same: for what must not be there twice.
 * @param instant Milliseconds since 1970, by which it sorts.
 */
export function derivedId(kind: IdKind, instant: number, ...parts: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify([kind, instant, ...parts]), 'buffer')
  return `${PREFIXES[kind]}_${timePart(instant)}${textOf(digest.subarray(0, 16))}`
}

/** What every id made at that instant or later is at least, and every one made before it is less than. */
export function firstId(kind: IdKind, at: number): string {
  return `${PREFIXES[kind]}_${timePart(at)}`
}

/** A session id legal everywhere: 33 to 100 characters of `[A-Za-z0-9-]` (DESIGN 9). */
export function newSessionId(): string {
  return `session-${randomBytes(20).toString('hex')}`
}

/** True when the text has the form of an id of that kind, so that it is never taken for a name. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${PREFIXES[kind]}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(PREFIXES[kind].length + 1))
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

function timePart(now: number): string {
  let rest = now
  let text = ''
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** Random bytes are asked for by the page: ids are made several times per run. */
const pool = Buffer.alloc(4096)
let used = pool.length

function randomPart(): string {
  if (used + 16 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return textOf(pool.subarray(used, (used += 16)))
}

/** Five bits of each byte. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += ALPHABET[byte & 31]
  return text
}
