import type { AccessStore } from '../backends/access-ports.ts'
import type { Principal } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { hashKey, isKey } from './keys.ts'

export interface Authenticator {
  /**
   * Who sends this `Authorization` header.
   * @throws SkilletError unauthenticated
   */
  authenticate(header: string | undefined): Promise<Principal>
  /** Forgets what is remembered of a key, so that its revocation counts at once in this process. */
  forget(keyId: string): void
  /** The same for all keys of a tenant, so that its suspension counts at once. */
  forgetTenant(tenant: string): void
}

/** How long a key that was found good is taken as good without asking the state, in milliseconds. */
const REMEMBER_MS = 5000
/** How many keys are remembered, least recently found out first. */
const REMEMBER_KEYS = 10_000

/**
 * Maps bearer keys to principals. A key is looked up by its hash, so the time it takes says nothing of how much of a guess was right.
 * @param options.rememberMs Default 5000. Another process's revocation takes effect after at most this long.
 */
export function createAuthenticator(
  access: Pick<AccessStore, 'findKey'>,
  options: { rememberMs?: number; clock?: () => number } = {},
): Authenticator {
  const { rememberMs = REMEMBER_MS, clock = Date.now } = options
  const remembered = new Map<string, { principal: Principal; until: number }>()

  async function look(hash: string): Promise<Principal> {
    const found = await access.findKey(hash)
    if (found === null) throw refused('The key is not known here.')
    const { key } = found
    if (key.revoked_at !== null) throw refused(`Key ${key.prefix}… was revoked at ${key.revoked_at}.`)
    const expires = key.expires_at === null ? Infinity : Date.parse(key.expires_at)
    if (expires <= clock()) throw refused(`Key ${key.prefix}… expired at ${key.expires_at}.`)
    const principal: Principal = { kind: 'key', id: key.id, tenant: key.tenant, role: key.role }
    if (remembered.size >= REMEMBER_KEYS) remembered.delete(remembered.keys().next().value!)
    remembered.set(hash, { principal, until: Math.min(clock() + rememberMs, expires) })
    return principal
  }

  return {
    async authenticate(header) {
      const key = bearer(header)
      const hash = hashKey(key)
      const known = remembered.get(hash)
      if (known !== undefined && known.until > clock()) return known.principal
      remembered.delete(hash)
      return look(hash)
    },

    forget(keyId) {
      for (const [hash, { principal }] of remembered) if (principal.id === keyId) remembered.delete(hash)
    },

    forgetTenant(tenant) {
      for (const [hash, { principal }] of remembered) if (principal.tenant === tenant) remembered.delete(hash)
    },
  }
}

function bearer(header: string | undefined): string {
  if (header === undefined) throw refused('The request has no Authorization header.')
  const match = /^Bearer +([^\s]+)$/i.exec(header)
  if (match === null) throw refused('The Authorization header is not of the form "Bearer <key>".')
  if (!isKey(match[1]!)) throw refused('What was sent does not have the form of a key (sk_ and 43 letters and digits).')
  return match[1]!
}

const refused = (detail: string): SkilletError => new SkilletError('unauthenticated', detail)
