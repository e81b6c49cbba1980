import { type JWTPayload, type JWTVerifyGetKey, decodeJwt, errors, jwtVerify } from 'jose'
import type { AccessStore } from '../backends/access-ports.ts'
import { SkilletError } from '../model/errors.ts'
import { type VerifyToken, refused } from './authenticate.ts'
import { principalOfClaims } from './oidc-claims.ts'
import type { IssuerConfig } from './oidc-config.ts'
import { type KeySourceOptions, createIssuerKeys, unavailable } from './oidc-keys.ts'

/**
 * Accepts tokens (JWT) of the configured issuers: signature, issuer, audience and times are checked, then the claims are mapped. An
 * issuer that cannot be asked for its keys vouches for nobody.
 * @throws SkilletError unauthenticated, tenant_suspended, identity_unavailable
 */
export function createTokenVerifier(
  issuers: readonly IssuerConfig[],
  access: Pick<AccessStore, 'findTenant'>,
  options: Omit<KeySourceOptions, 'clock'> & {
    /** Where clients find this server: what lies below it may be the audience of a token, too. Default: nothing. */
    publicUrl?: string | null
    clock?: () => number
  },
): VerifyToken {
  const { publicUrl = null, clock = Date.now } = options
  const sources = issuers.map((config) => ({ config, keys: createIssuerKeys(config, { ...options, clock }) }))

  return async (token) => {
    const { config, keys, audiences } = sourceOf(sources, token, publicUrl)
    const claims = await verify(token, { config, keys, audiences }, clock())
    const { principal, tenant } = await principalOfClaims(claims, config, access)
    if (!audiences.some((one) => one === config.audience || isFor(one, publicUrl, tenant))) throw refused(NOT_MEANT)
    return { value: principal, until: claims.exp! * 1000 }
  }
}

interface Source {
  readonly config: IssuerConfig
  readonly keys: JWTVerifyGetKey
}

/** Whose word this claims to be, and which of its audiences are this server. Nothing of it is believed yet. */
function sourceOf(
  sources: readonly Source[],
  token: string,
  publicUrl: string | null,
): Source & { audiences: string[] } {
  const { iss, aud } = unverified(token)
  const those = sources.filter(({ config }) => config.issuer === iss)
  if (those.length === 0) throw refused('The issuer (iss) of the token is not one that is accepted here.')
  const named = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string')
  const exact = those.find(({ config }) => named.includes(config.audience))
  const audiences = named.filter((one) => one === exact?.config.audience || isFor(one, publicUrl))
  if (audiences.length === 0) throw refused(NOT_MEANT)
  return { ...(exact ?? those[0]!), audiences }
}

const NOT_MEANT = 'The token is not meant for this server: its audience (aud) is another.'

/**
 * Whether a client that asked for a token for what it found at our URL named that as the resource (RFC 8707): the server as such, or an
 * endpoint of MCP.
 * @param tenant Whose endpoint it must be where it is that of a tenant. Default: of any.
 */
function isFor(audience: string, publicUrl: string | null, tenant: string = '[a-z0-9-]+'): boolean {
  if (publicUrl === null || !audience.startsWith(publicUrl)) return false
  return new RegExp(`^/?$|^/mcp$|^/t/${tenant}/mcp$`).test(audience.slice(publicUrl.length))
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused('What was sent is no token (JWT).')
    throw error
  }
}

async function verify(
  token: string,
  { config, keys, audiences }: Source & { audiences: string[] },
  at: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: config.issuer,
      audience: audiences,
      algorithms: config.algorithms,
      clockTolerance: config.clock_skew_s,
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(at),
    })
    return payload
  } catch (error) {
    if (error instanceof SkilletError) throw error
    // What jose throws holds the claims: only its reason is passed on.
    if (error instanceof errors.JOSEError) throw refused(`The token was refused: ${reasonOf(error, config)}.`)
    // Its key is too short or broken: nothing that the caller sends can be the reason.
    throw unavailable(config, 'the key that the token names cannot be used', error)
  }
}

function reasonOf(error: errors.JOSEError, config: IssuerConfig): string {
  if (error instanceof errors.JWTExpired) return 'it has expired (exp)'
  if (error instanceof errors.JOSEAlgNotAllowed) return `it is not signed with ${config.algorithms.join(', ')}`
  if (error instanceof errors.JWKSNoMatchingKey) return `the issuer "${config.name}" has no such key`
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key signed it (kid)'
  return error.message
}
