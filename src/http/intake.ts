import type { IncomingMessage } from 'node:http'
import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'

/** What is wrong with a request before anybody looks at what it asks for; null when nothing is. */
export function refusalOf({ url = '', rawHeaders, headers, httpVersion }: IncomingMessage): SkilletError | null {
  if (url.length > LIMITS.urlBytes) {
    return new SkilletError('url_too_long', `The URL has ${url.length} bytes; at most ${LIMITS.urlBytes} are taken.`)
  }
  const count = rawHeaders.length / 2
  if (count > LIMITS.headerFields) {
    return new SkilletError(
      'headers_too_large',
      `There are ${count} headers; at most ${LIMITS.headerFields} are taken.`,
    )
  }
  const hosts = hostsIn(rawHeaders)
  // Only HTTP/1.0 may leave it out: health checks of load balancers do.
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) {
    return new SkilletError('bad_request', `The request has ${hosts} Host headers; it must have one.`)
  }
  if (url === plain.url && headers.host === plain.host) return null
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  const host = absolute?.[1] ?? headers.host ?? 'localhost'
  const target = absolute === null ? url : absolute[2] || '/'
  const parsed = HOST.test(host) && target.startsWith('/') ? URL.parse(`http://${host}${target}`) : null
  if (parsed === null || parsed.hostname !== host.replace(/:\d+$/, '').toLowerCase()) {
    return new SkilletError('bad_request', 'The Host header and the path do not make a URL.')
  }
  // What stands before us may have judged the path as it was sent, so no other one is served for it: no "..", in whatever disguise.
  if (parsed.pathname !== target.split(/[?#]/, 1)[0]) {
    return new SkilletError('not_found', 'Nothing is served at a path that is not in its normal form.')
  }
  if (absolute === null) plain = { url, host: headers.host }
  return null
}

/** What was found to be sound last: often that of the next request, too. */
let plain: { readonly url: string; readonly host: string | undefined } = { url: '', host: '' }

const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

function hostsIn(rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}

/** What is told of a request that could not even be parsed; null when nobody is left to be told. */
export function parserRefusal(error: NodeJS.ErrnoException & { reason?: string }): SkilletError | null {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new SkilletError('headers_too_large', `URL and headers have more than ${LIMITS.headerBytes} bytes.`)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new SkilletError('body_too_large', 'The chunks of the body have extensions that are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new SkilletError('request_timeout', 'The request did not arrive in time.')
    default:
      // The socket is destroyed with what an answer breaks off with, too: codes of those may be numbers.
      if (typeof error.code !== 'string' || !error.code.startsWith('HPE_')) return null
      // The parser's reasons are fixed texts and quote nothing.
      return new SkilletError('bad_request', `This is no HTTP request: ${error.reason ?? error.code}.`)
  }
}
