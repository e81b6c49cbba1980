import type { Engine } from '../backends/ports.ts'
import { type Authenticator, createAuthenticator } from './authenticate.ts'
import { type Authorizer, createAuthorizer } from './authorize.ts'
import { type Denials, createDenials } from './denials.ts'
import { type GrantsService, createGrantsService } from './grants.ts'
import { type KeyService, createKeyService } from './key-service.ts'
import { type LinksService, createLinksService } from './links.ts'
import type { IssuerConfig } from './oidc-config.ts'
import { type TenantsService, createTenantsService } from './tenants.ts'

/** Who is calling, what they may do, and how that is changed. What changes it is told to what remembers it. */
export interface Access {
  readonly auth: Authenticator
  readonly authorizer: Authorizer
  readonly denials: Denials
  readonly tenants: TenantsService
  readonly keys: KeyService
  readonly grants: GrantsService
  readonly links: LinksService
  /** Writes down what is only remembered: last uses, denials that were counted. */
  close(): Promise<void>
}

/** @param parts.issuers Whose tokens are accepted besides keys. */
export async function openAccess(parts: {
  engine: Engine
  issuers: readonly IssuerConfig[]
  /** What tokens may name as their audience besides what their issuer's configuration says. Default: nothing. */
  publicUrl?: string | null
  /** No tenant is made besides the one there is. Default false. */
  oneTenant?: boolean
  onError: (error: unknown, doing: string) => void
}): Promise<Access> {
  const { engine, issuers, publicUrl = null, oneTenant, onError } = parts
  const { access } = engine
  // Loaded where there are issuers: it is a tenth of what a server takes to start.
  const tokens = issuers.length === 0 ? null : await import('./oidc.ts')
  const verifyToken = tokens?.createTokenVerifier(issuers, access, { publicUrl, onError })
  const auth = createAuthenticator(access, { links: engine.links, onError, verifyToken })
  const authorizer = createAuthorizer(engine)
  const denials = createDenials(engine.audit, { onError })
  return {
    auth,
    authorizer,
    denials,
    tenants: createTenantsService({ access, auth, oneTenant }),
    keys: createKeyService({ access, auth }),
    grants: createGrantsService({ engine, authorizer }),
    links: createLinksService({ engine, auth }),
    async close() {
      await Promise.all([denials.close(), auth.close()])
    },
  }
}
