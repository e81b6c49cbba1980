import { isIP } from 'node:net'
import type { AddressPolicy } from './policy.ts'

/** A URL that may be talked to, as far as its text tells. */
export interface Target {
  /** Name or address, without brackets and without the dot at the end. */
  readonly host: string
  readonly port: number
  /** Over TLS. */
  readonly secure: boolean
  /** Path and query. */
  readonly path: string
  /** For the Host header. */
  readonly authority: string
}

/** A place to which this server does not talk. Its message says why, for people, and names nothing that they did not say. */
export class TargetRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TargetRefused'
  }
}

/**
 * What a URL that a tenant gave points to. Hosts are judged as the URL standard reads them, so that numbers, full-width letters and
 * percent signs are the address or name that they mean. A name's addresses are for `resolveTarget` to judge.
 * @throws TargetRefused
 */
export function parseTarget(text: string, policy: AddressPolicy): Target {
  if (!SHAPE.test(text))
    throw new TargetRefused('It is no URL that begins with https:// and has neither blanks nor backslashes.')
  if (!URL.canParse(text)) throw new TargetRefused('It is no URL: its host or its port cannot be read.')
  const url = new URL(text)
  const secure = url.protocol === 'https:'
  if (!secure && !policy.opened) throw new TargetRefused('It is not https.')
  if (text.split(/[/?#]/, 3)[2]!.includes('@')) throw new TargetRefused('It has a user name or password in it.')
  if (text.includes('#')) throw new TargetRefused('It has a fragment ("#") in it.')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  if (port === 0) throw new TargetRefused('Nothing has port 0.')

  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (isIP(host) === 0) checkName(host, policy)
  else if (!policy.allows(host, port, secure)) throw new TargetRefused(notAllowed('Its address', secure))
  const named = isIP(host) === 6 ? `[${host}]` : host
  return {
    host,
    port,
    secure,
    path: url.pathname + url.search,
    authority: url.port === '' ? named : `${named}:${port}`,
  }
}

/** @param subject Such as "Its address". */
export function notAllowed(subject: string, secure: boolean): string {
  return secure
    ? `${subject} is not on the public internet, or is this server's own.`
    : `${subject} is in no network that the operator opened, or is this server's own; plain http goes nowhere else.`
}

/** Other whitespace and backslashes are dropped or turned by readers of URLs, each in its own way. */
const SHAPE = /^https?:\/\/[^\s\\\p{Cc}]+$/iu

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** Names that mean something inside a network only (RFC 6761, 6762, 8375, 9476, ICANN's .internal, and custom). */
const INSIDE = new Set([
  'localhost',
  'local',
  'internal',
  'intranet',
  'lan',
  'home',
  'corp',
  'private',
  'localdomain',
  'arpa',
  'alt',
  'onion',
  'test',
  'invalid',
])

function checkName(host: string, policy: AddressPolicy): void {
  const labels = host.split('.')
  if (host.length > 253 || !labels.every((label) => LABEL.test(label)))
    throw new TargetRefused('Its host is no name of the DNS.')
  // Where the operator opened a network its names are meant too: their addresses decide.
  if (policy.opened) return
  if (labels.length === 1 || INSIDE.has(labels.at(-1)!)) {
    throw new TargetRefused(
      `Its host is a name inside a network ("${labels.length === 1 ? host : `.${labels.at(-1)}`}"), not one of the public internet.`,
    )
  }
}
