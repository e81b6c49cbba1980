import { isScopes } from '../../access/oidc-claims.ts'
import type { Site } from '../../http/site.ts'
import { Role } from '../../model/access.ts'

/** Scopes by which the issuers' tokens get a role that lists skills and runs them: all that a client has to ask for. */
export function neededScopes({ issuers }: Pick<Site, 'issuers'>): string[] {
  // An agent has just what is needed here; where no scope makes one, the next higher role does.
  for (const role of ['agent', 'developer', 'owner'] as const) {
    const found = scopesFor(issuers, [role])
    if (found.length > 0) return found
  }
  return []
}

/** All scopes that mean something here. */
export const knownScopes = ({ issuers }: Pick<Site, 'issuers'>): string[] => scopesFor(issuers, Role.options)

function scopesFor(issuers: Site['issuers'], roles: readonly Role[]): string[] {
  const found = issuers
    .filter(({ role }) => isScopes(role.claim))
    .flatMap(({ role }) => Object.entries(role.map))
    .filter(([, role]) => roles.includes(role))
  return [...new Set(found.map(([scope]) => scope))]
}
