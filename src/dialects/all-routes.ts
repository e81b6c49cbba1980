import type { Route } from '../http/route.ts'
import type { Services } from '../http/services.ts'

/** What the server speaks besides its own interface: each dialect's routes, made of the same services. */
export const dialectRoutes = (_services: Services): Route[] => []
