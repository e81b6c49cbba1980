import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'

/** Seconds to wait that `Prefer` asks for (RFC 7240), at most LIMITS.waitSeconds; null when it asks for none. What is not understood is ignored, as the RFC says. */
export function waitOf(prefer: string | undefined): number | null {
  if (prefer === undefined) return null
  for (const preference of prefer.split(',')) {
    const match = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;|$)/i.exec(preference)
    if (match !== null) return Math.min(Number(match[1]), LIMITS.waitSeconds)
  }
  return null
}

/**
 * The key of an `Idempotency-Key` header, which may come quoted (as the HTTP working group's draft has it) or bare.
 * @throws SkilletError bad_request
 */
export function idempotencyKeyOf(header: string | undefined): string | null {
  if (header === undefined) return null
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())
  const key = quoted === null ? header.trim() : quoted[1]!.replaceAll(/\\(["\\])/g, '$1')
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new SkilletError('bad_request', 'The Idempotency-Key is not 1 to 255 visible ASCII characters.')
}

/** Whether `Accept` prefers plain text to JSON. */
export function prefersText(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const [json, text] = [accept.indexOf('application/json'), accept.indexOf('text/plain')]
  return text !== -1 && (json === -1 || text < json)
}
