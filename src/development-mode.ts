import { SandboxError } from './runtime/driver.ts'
import type { ServerOptions } from './server-options.ts'

/**
 * Without isolation whoever may deploy a skill, or call one, may do all that the server may: it is for one person at one machine.
 * @param tenants How many there are, besides the operator's.
 * @throws SandboxError when this is not such a server.
 */
export function requireDevelopment(
  { host = '127.0.0.1', environment, driver }: Pick<ServerOptions, 'host' | 'environment' | 'driver'>,
  tenants: number,
): void {
  const wrong = [
    ...(environment === 'production' ? ['this one is for production (SKILLET_ENV)'] : []),
    ...(LOOPBACK.has(host) ? [] : [`this one listens at ${host}, where others can reach it`]),
    ...(driver === undefined ? [] : [`this one was asked for the driver ${driver}, which isolates`]),
    ...(tenants > 1 ? [`this one has ${tenants} tenants`] : []),
  ]
  if (wrong.length === 0) return
  throw new SandboxError(
    `A server without isolation is for development: on 127.0.0.1, for one tenant, never for production; ${wrong.join(', and ')}.`,
    'Start it without --development-without-isolation; where sandboxes cannot be made, "skillet doctor" says what to do.',
  )
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** What everybody has to know who meets such a server. */
export const BANNER =
  'NOTHING IS ISOLATED: skills run as plain processes of this machine, with all that the server may do. For development only.'
