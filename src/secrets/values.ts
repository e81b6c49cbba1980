import { SkilletError } from '../model/errors.ts'
import type { Connection, SecretKind } from '../model/secrets.ts'
import { LIMITS } from '../model/sizes.ts'

/** What is said of a value never quotes it. @throws SkilletError secret_invalid */
export function requireValue(kind: SecretKind, value: string): void {
  const bytes = Buffer.byteLength(value)
  if (bytes === 0) throw invalid('is empty')
  if (bytes > LIMITS.secretBytes)
    throw invalid(`has ${bytes} bytes, more than the ${LIMITS.secretBytes} that it may have`)
  if (value.includes('\0')) throw invalid('holds a NUL, which no environment variable can')
  if (!value.isWellFormed()) throw invalid('is not well-formed Unicode')
  if (kind === 'connection') connectionOf(value)
}

/** @throws SkilletError secret_invalid */
export function connectionOf(value: string): Connection {
  const url = URL.parse(value)
  if (url === null) throw invalid('is not a URL')
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (!HOST.test(host)) throw invalid('is a URL without a host, or with more than one')
  return {
    url: value,
    protocol: url.protocol.slice(0, -1),
    host,
    port: url.port === '' ? null : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    path: decoded(url.pathname.replace(/^\//, '')) ?? '',
    params: Object.fromEntries(url.searchParams),
  }
}

/** What must not be seen of a value: it, and of a connection the password as well, as it is and as the URL writes it. */
export function confidentialParts(value: string, connection: Connection | null): string[] {
  if (connection === null || connection.password === null) return [value]
  const written = new URL(value).password
  // A password that stands in the URL unencoded reads differently once it is parsed.
  const asGiven = /^[^:]+:\/\/[^:@/]*:(.*)@/.exec(value)?.[1]
  return [...new Set([value, connection.password, written, asGiven ?? written])].filter((part) => part !== '')
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?|[0-9a-f:.]*:[0-9a-f:.]*)$/

/** Null for what is not there. */
function decoded(part: string): string | null {
  if (part === '') return null
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('is a URL in which a "%" is not followed by the two digits of a UTF-8 byte')
  }
}

function invalid(why: string): SkilletError {
  return new SkilletError('secret_invalid', `The value ${why}.`, {
    problems: [{ pointer: '/value', message: why }],
  })
}
