import { type JWTVerifyGetKey, createLocalJWKSet, errors } from 'jose'
import { z } from 'zod'
import { SkilletError } from '../model/errors.ts'
import { type IssuerConfig, isTrustworthy } from './oidc-config.ts'
import { fetchJson } from './oidc-fetch.ts'

/** How long keys are taken as they were fetched, in milliseconds: a key that was withdrawn is refused after at most this long. */
const FRESH_MS = 600_000
/** Between two fetches for the sake of keys that are not known, in milliseconds: a made-up key id is no way to trouble the issuer. */
const COOLDOWN_MS = 30_000
/** After a failed fetch none is tried for this long, in milliseconds. */
const FAILED_MS = 2000

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() })

export interface KeySourceOptions {
  /** Told when an issuer cannot be asked; whoever sent a token only learns that it is so. */
  readonly onError: (error: unknown, doing: string) => void
  readonly clock: () => number
  /** Default 5000: how long the issuer may take for one answer, in milliseconds. */
  readonly timeoutMs?: number | undefined
}

/**
 * The public keys of an issuer, found by discovery when they are first needed. A key that is not known makes them be fetched anew.
 * @returns What finds the key of a token. @throws SkilletError identity_unavailable; JOSEError when there is no such key
 */
export function createIssuerKeys(config: IssuerConfig, options: KeySourceOptions): JWTVerifyGetKey {
  const { onError, clock, timeoutMs } = options
  let present: { keys: JWTVerifyGetKey; at: number } | null = null
  let failed: { error: SkilletError; at: number } | null = null
  let loading: Promise<JWTVerifyGetKey> | null = null

  async function fetchKeys(): Promise<JWTVerifyGetKey> {
    try {
      const keys = createLocalJWKSet((await fetchJson(await jwksUri(config, timeoutMs), timeoutMs)) as never)
      present = { keys, at: clock() }
      failed = null
      return keys
    } catch (cause) {
      onError(cause, `asking the issuer ${config.name} for its keys`)
      failed = { error: unavailable(config, (cause as Error).message, cause), at: clock() }
      throw failed.error
    } finally {
      loading = null
    }
  }

  /** Callers that come meanwhile wait for the same answer. */
  function load(): Promise<JWTVerifyGetKey> {
    if (loading === null && failed !== null && clock() - failed.at < FAILED_MS) throw failed.error
    return (loading ??= fetchKeys())
  }

  return async (header, token) => {
    const fresh = present !== null && clock() - present.at < FRESH_MS
    const keys = fresh ? present!.keys : await load()
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw usable(config, error)
      if (!fresh || clock() - present!.at < COOLDOWN_MS) throw error
    }
    return (await load())(header, token)
  }
}

async function jwksUri(config: IssuerConfig, timeoutMs: number | undefined): Promise<URL> {
  const place = new URL(`${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { data } = Discovery.safeParse(await fetchJson(place, timeoutMs))
  if (data === undefined) throw new Error(`GET ${place.href}: its answer names no issuer and jwks_uri`)
  if (data.issuer !== config.issuer)
    throw new Error(`GET ${place.href}: it says that it is the issuer "${data.issuer}"`)
  const uri = new URL(data.jwks_uri)
  if (!isTrustworthy(uri) || (uri.protocol === 'http:' && !config.issuer.startsWith('http:'))) {
    throw new Error(`GET ${place.href}: its keys lie at ${uri.href}, which is not https`)
  }
  return uri
}

/** A token that fits no key is the caller's fault; a key that cannot be used is the issuer's. */
function usable(config: IssuerConfig, error: unknown): unknown {
  if (error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported) return error
  return unavailable(config, 'the key that the token names cannot be used', error)
}

export function unavailable({ name }: IssuerConfig, why: string, cause: unknown): SkilletError {
  return new SkilletError('identity_unavailable', `The issuer "${name}" cannot be asked: ${why}.`, { cause })
}
