import type { Reply } from '../../http/reply.ts'
import type { Dialect } from '../../http/route.ts'
import type { Site } from '../../http/site.ts'
import { ERRORS } from '../../model/error-catalogue.ts'
import type { SkilletError } from '../../model/errors.ts'
import { metadataUrl } from './metadata-url.ts'
import { requireSameSite } from './same-site.ts'
import { neededScopes } from './scopes.ts'

/** Who is calling is in the Authorization header as ever; failures are JSON-RPC errors, with what OAuth's clients want to know. */
export const mcpDialect = (site: Site): Dialect => ({
  authorization(header) {
    // Before anybody is asked for: not even whether a key is known is told to other sites.
    requireSameSite(site, header)
    return header('authorization')
  },

  failure(error, { id, url }, headers) {
    const { status, fix } = ERRORS[error.code]
    const { problems, data } = error
    const more = { ...data, code: error.code, fix, request_id: id, ...(problems.length > 0 && { errors: problems }) }
    const challenge = challengeOf(error, metadataUrl(site, url))
    return {
      ...rpcFailure(status, RPC_CODES[error.code] ?? (status < 500 ? -32_000 : -32_603), error.message, more),
      headers: { ...headers, ...(challenge !== null && { 'www-authenticate': challengeWith(challenge, site) }) },
    }
  },
})

/** What answers a message that did not come as far as to have an id. */
export const rpcFailure = (status: number, code: number, message: string, data?: object): Reply => ({
  status,
  body: { jsonrpc: '2.0', id: null, error: { code, message, ...(data !== undefined && { data }) } },
})

const RPC_CODES: Partial<Record<SkilletError['code'], number>> = { bad_request: -32_600, body_too_large: -32_600 }

/** Parameters of `WWW-Authenticate`, RFC 6750 and RFC 9728; null: it is no matter of credentials. */
function challengeOf({ code, message }: SkilletError, metadata: string): Record<string, string> | null {
  const resource_metadata = metadata
  if (code === 'unauthenticated') return { realm: 'skillet', resource_metadata }
  if (code !== 'forbidden' && code !== 'not_granted') return null
  return { realm: 'skillet', error: 'insufficient_scope', error_description: message, resource_metadata }
}

function challengeWith(parameters: Record<string, string>, site: Site): string {
  const scope = neededScopes(site).join(' ')
  const all = { ...parameters, ...(scope !== '' && { scope }) }
  const quoted = Object.entries(all).map(([name, value]) => `${name}="${value.replaceAll(/[^\x20-\x7e]|["\\]/g, "'")}"`)
  return `Bearer ${quoted.join(', ')}`
}
