import { PERMISSIONS, type Permission } from '../access/permissions.ts'
import type { ErrorCode } from '../model/error-catalogue.ts'
import type { Route } from './route.ts'

/** Every code that the route can answer with: what it declares and what follows from the declaration. */
export function errorCodes(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors)
  if (route.access !== 'public') {
    for (const code of KEYED) codes.add(code)
    const roles: Permission[] = Object.values(PERMISSIONS[route.access])
    if (route.path.includes('{') && roles.some((one) => one === 'grant' || one === 'own')) codes.add('not_granted')
  }
  if (route.path.includes('{')) codes.add('not_found')
  if (route.query !== undefined || route.body !== undefined || route.headers !== undefined) codes.add('bad_request')
  if (route.body !== undefined)
    for (const code of ['body_too_large', 'unsupported_media_type'] as const) codes.add(code)
  return [...codes, ...ALWAYS].sort()
}

/** What every route that asks for a key can answer with. */
const KEYED = [
  'unauthenticated',
  'rate_limited',
  'tenant_suspended',
  'identity_unavailable',
  'forbidden',
  'unavailable',
] as const satisfies ErrorCode[]

/** Whatever is asked for: what does not fit, what comes too slowly, and faults of ours. */
const ALWAYS = ['url_too_long', 'headers_too_large', 'request_timeout', 'internal'] as const satisfies ErrorCode[]
