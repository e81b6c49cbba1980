import { z } from 'zod'
import { type Route, route } from '../../http/route.ts'
import type { Services } from '../../http/services.ts'
import { notFound } from '../../model/errors.ts'
import { Name } from '../../model/skills.ts'
import { createEndpoint } from './endpoint.ts'
import { mcpDialect } from './mcp-dialect.ts'
import { resourceMetadataRoutes } from './resource-metadata.ts'

const shared = {
  tag: 'dialects',
  method: 'POST',
  access: 'catalogue.read',
  rawBody: 'application/json',
  // What clients add to a URL for themselves is let through.
  query: z.object({ stage: Name.optional().meta({ description: 'Default prod.' }) }),
  responses: { 200: { description: 'A JSON-RPC response, or a stream of messages that ends with it.' } },
  errors: ['host_refused', 'body_too_large', 'unsupported_media_type', 'rate_limited'],
} as const

/** The Model Context Protocol, for the tenant of the key. */
export function mcpRoutes(services: Services): Route[] {
  const dialect = mcpDialect(services.site)
  const answer = createEndpoint(services)
  return [
    route({
      ...shared,
      id: 'mcp',
      path: '/mcp',
      dialect,
      summary: 'Speak MCP',
      handle: (call) => answer(call, '/mcp'),
    }),
    route({
      ...shared,
      id: 'tenantMcp',
      path: '/t/{tenant}/mcp',
      dialect,
      summary: 'Speak MCP to a tenant by name, which must be that of the key',
      async handle(call) {
        const { name } = await services.tenants.find(call.caller.tenant)
        if (call.params.tenant !== name) throw notFound('tenant', call.params.tenant)
        return answer(call, '/t/{tenant}/mcp')
      },
    }),
    ...resourceMetadataRoutes(services.site),
  ]
}
