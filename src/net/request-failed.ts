/** No answer came. Its message is for people: it names no address, no part of the URL and nothing that was sent. */
export class RequestFailed extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'RequestFailed'
  }
}

/** What an error of a socket, of TLS or of Node's HTTP parser means. Their own messages name addresses, so that only codes are passed on. */
export function requestFailed(error: unknown): RequestFailed {
  const code = codeOf(error)
  const known = MEANINGS.find(([codes]) => codes.test(code))
  const named = code === '' ? '' : ` (${code})`
  return new RequestFailed(`${known?.[1] ?? 'The request failed'}${named}.`, { cause: error })
}

const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'The connection was refused'],
  [/^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, 'The connection was closed before an answer came'],
  [/^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/, 'The host cannot be reached from here'],
  [/^ETIMEDOUT$/, 'The host did not answer to a connection'],
  [/^HPE_HEADER_OVERFLOW$/, 'The headers of the answer are too large'],
  [/^HPE_/, 'The answer is no HTTP'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'The certificate is not for this host'],
  [/^CERT_HAS_EXPIRED$/, 'The certificate has expired'],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|^HOSTNAME_MISMATCH$/, 'The certificate is not trusted'],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO)/, 'No TLS connection came about'],
]

/** Of the error, or of the first try where several addresses were tried. */
function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : ''
}
