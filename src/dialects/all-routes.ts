import type { Route } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { toolsRoutes } from './tools/tools-routes.ts'

/** What the server speaks besides its own interface: each dialect's routes, made of the same services. */
export const dialectRoutes = (services: Services): Route[] => [...toolsRoutes(services)]
