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
  options: Omit<KeySourceOptions, 'clock'> & { clock?: () => number },
): VerifyToken {
  const clock = options.clock ?? Date.now
  const sources = issuers.map((config) => ({ config, keys: createIssuerKeys(config, { ...options, clock }) }))

  return async (token) => {
    const { config, keys } = sourceOf(sources, token)
    const claims = await verify(token, config, keys, clock())
    return { value: await principalOfClaims(claims, config, access), until: claims.exp! * 1000 }
  }
}

interface Source {
  readonly config: IssuerConfig
  readonly keys: JWTVerifyGetKey
}

/** Whose word this claims to be. Nothing of it is believed yet. */
function sourceOf(sources: readonly Source[], token: string): Source {
  const { iss, aud } = unverified(token)
  const those = sources.filter(({ config }) => config.issuer === iss)
  if (those.length === 0) throw refused('The issuer (iss) of the token is not one that is accepted here.')
  const audiences = Array.isArray(aud) ? aud : [aud]
  const found = those.find(({ config }) => audiences.includes(config.audience))
  if (found === undefined) throw refused('The token is not meant for this server: its audience (aud) is another.')
  return found
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused('What was sent is no token (JWT).')
    throw error
  }
}

async function verify(token: string, config: IssuerConfig, keys: JWTVerifyGetKey, at: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: config.issuer,
      audience: config.audience,
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
