import type { Route } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { claudeSkillsApi } from './claude-skills/claude-skills.ts'
import { openaiSkillsApi } from './openai-skills/openai-skills.ts'
import { marketplaceRoutes } from './discovery/marketplace.ts'
import { wellKnownRoutes } from './discovery/well-known.ts'
import { skillApiRoutes } from './skill-api.ts'
import { mcpRoutes } from './mcp/mcp-routes.ts'
import { toolsRoutes } from './tools/tools-routes.ts'

/** What the server speaks besides its own interface: each dialect's routes, made of the same services. */
export const dialectRoutes = (services: Services): Route[] => [
  ...skillApiRoutes({ claude: claudeSkillsApi(services), openai: openaiSkillsApi(services) }),
  ...mcpRoutes(services),
  ...wellKnownRoutes(services),
  ...marketplaceRoutes(services),
  ...toolsRoutes(services),
]
