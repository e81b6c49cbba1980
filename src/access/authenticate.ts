import type { AccessStore } from '../backends/access-ports.ts'
import type { LinkStore } from '../backends/link-ports.ts'
import { OPERATOR_TENANT, type Principal } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { hashKey, isKey, isLinkToken } from './keys.ts'
import { createLastUsed } from './last-used.ts'
import { createMemory } from './memory.ts'

export interface Authenticator {
  /**
   * Who sends this `Authorization` header.
   * @throws SkilletError unauthenticated, tenant_suspended, identity_unavailable
   */
  authenticate(header: string | undefined): Promise<Principal>
  /** Forgets what is remembered of a key or link, so that its revocation counts at once in this process. */
  forget(id: string): void
  /** The same for all principals of a tenant, so that its suspension counts at once. */
  forgetTenant(tenant: string): void
  /** Writes down when keys and links were last used. May be called twice. */
  close(): Promise<void>
}

/** Whose key or token it is, and until when that holds (milliseconds since 1970). */
export interface Identity {
  readonly value: Principal
  readonly until: number
}
export type VerifyToken = (token: string) => Promise<Identity>

export interface AuthenticatorOptions {
  /** Tokens of other issuers; without it they are refused. */
  readonly verifyToken?: VerifyToken | undefined
  /** Those of URLs; without it they are refused. */
  readonly links?: Pick<LinkStore, 'findLinkByHash' | 'touchLinks'> | undefined
  /** Told when the last use of keys could not be written. */
  readonly onError: (error: unknown, doing: string) => void
  /** Default 5000. What another process revokes or suspends is refused here after at most this many milliseconds. */
  readonly rememberMs?: number
  /** Default 30,000. How long uses of keys are collected before they are written, in milliseconds. */
  readonly flushMs?: number
  readonly clock?: () => number
}

const REMEMBER_MS = 5000

/** Maps keys, links and tokens to principals. All are looked up by their hash, so the time it takes says nothing of how much of a guess was right. */
export function createAuthenticator(
  access: Pick<AccessStore, 'findKey' | 'touchKeys'>,
  options: AuthenticatorOptions,
): Authenticator {
  const { rememberMs = REMEMBER_MS, clock = Date.now, verifyToken, links } = options
  const known = createMemory<Principal>({ ms: rememberMs, clock })
  const lastUsed = createLastUsed(access.touchKeys, { clock, ...options })
  const linkUses = links === undefined ? null : createLastUsed(links.touchLinks, { clock, ...options })

  async function findKey(hash: string): Promise<Identity> {
    const found = await access.findKey(hash)
    if (found === null) throw refused('The key is not known here.')
    const { key, tenant } = found
    if (key.revoked_at !== null) throw refused(`Key ${key.prefix}… was revoked at ${key.revoked_at}.`)
    const until = key.expires_at === null ? Infinity : Date.parse(key.expires_at)
    if (until <= clock()) throw refused(`Key ${key.prefix}… expired at ${key.expires_at}.`)
    if (tenant.suspended && tenant.id !== OPERATOR_TENANT.id) throw suspended(tenant.name)
    return { value: { kind: 'key', id: key.id, tenant: key.tenant, role: key.role }, until }
  }

  async function findLink(hash: string): Promise<Identity> {
    const found = (await links?.findLinkByHash(hash)) ?? null
    if (found === null) throw refused('The link is not known here.')
    const { link, tenant } = found
    const { id, stage, skills } = link
    if (link.revoked_at !== null) throw refused(`Link ${id} was revoked at ${link.revoked_at}.`)
    const until = link.expires_at === null ? Infinity : Date.parse(link.expires_at)
    if (until <= clock()) throw refused(`Link ${id} expired at ${link.expires_at}.`)
    if (tenant.suspended) throw suspended(tenant.name)
    return { value: { kind: 'link', id, tenant: link.tenant, role: 'agent', link: { stage, skills } }, until }
  }

  return {
    async authenticate(header) {
      const credential = bearer(header)
      const hash = hashKey(credential)
      if (isKey(credential)) {
        const principal = await known.get(hash, () => findKey(hash))
        lastUsed.note(principal.id)
        return principal
      }
      if (isLinkToken(credential)) {
        const principal = await known.get(hash, () => findLink(hash))
        linkUses?.note(principal.id)
        return principal
      }
      if (!isToken(credential)) throw refused(NO_KEY)
      if (verifyToken === undefined) throw refused('Tokens are not accepted here: no issuer is configured.')
      return known.get(hash, () => verifyToken(credential))
    },

    forget: (which) => known.forget(({ id }) => id === which),
    forgetTenant: (tenant) => known.forget((principal) => principal.tenant === tenant),
    async close() {
      await Promise.all([lastUsed.close(), linkUses?.close()])
    },
  }
}

export const refused = (detail: string, cause?: unknown): SkilletError =>
  new SkilletError('unauthenticated', detail, { cause })

export const suspended = (tenant: string): SkilletError =>
  new SkilletError('tenant_suspended', `The tenant "${tenant}" is suspended.`)

const NO_KEY = 'What was sent does not have the form of a key (sk_ and 43 letters and digits).'

function bearer(header: string | undefined): string {
  if (header === undefined) throw refused('The request has no Authorization header.')
  const match = /^Bearer +([^\s]+)$/i.exec(header)
  if (match === null) throw refused('The Authorization header is not of the form "Bearer <key>".')
  return match[1]!
}

/** A signed JWT: three parts, of which the first is a JSON object. */
const isToken = (text: string): boolean => /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(text)
