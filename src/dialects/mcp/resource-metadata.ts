import { type Route, route } from '../../http/route.ts'
import type { Site } from '../../http/site.ts'
import { knownScopes } from './scopes.ts'
import { mcpDialect } from './mcp-dialect.ts'
import { WELL_KNOWN } from './metadata-url.ts'

/** RFC 9728: who issues tokens for the endpoints of MCP. Nobody needs a key to read it, as it is read to get one. */
export function resourceMetadataRoutes(site: Site): Route[] {
  const one = (id: string, path: string): Route =>
    route({
      id,
      tag: 'dialects',
      method: 'GET',
      path: `${WELL_KNOWN}${path}`,
      access: 'public',
      dialect: mcpDialect(site),
      summary: 'Who issues tokens for this server (RFC 9728)',
      responses: { 200: { description: 'The metadata of a protected resource.' } },
      errors: ['host_refused'],
      handle(call) {
        const { origin, pathname } = call.url()
        const scopes = knownScopes(site)
        return {
          status: 200,
          body: {
            resource: `${site.publicUrl ?? origin}${pathname.slice(WELL_KNOWN.length)}`,
            authorization_servers: [...new Set(site.issuers.map(({ issuer }) => issuer))],
            bearer_methods_supported: ['header'],
            ...(scopes.length > 0 && { scopes_supported: scopes }),
            resource_name: 'Skillet',
          },
        }
      },
    })
  return [
    one('getResourceMetadata', ''),
    one('getMcpResourceMetadata', '/mcp'),
    // Whether there is such a tenant is not told here.
    one('getTenantMcpResourceMetadata', '/t/{tenant}/mcp'),
  ]
}
