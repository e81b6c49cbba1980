import { z } from 'zod'
import { Instant } from './json.ts'

export const Role = z.enum(['owner', 'developer', 'viewer', 'agent']).meta({ id: 'Role' })
export type Role = z.infer<typeof Role>

export const Tenant = z.object({ id: z.string(), name: z.string(), created_at: Instant }).meta({ id: 'Tenant' })
export type Tenant = z.infer<typeof Tenant>

/** An API key as it may be shown: the key itself is stored only as a SHA-256 and printed once. */
export const ApiKey = z
  .object({
    id: z.string(),
    tenant: z.string(),
    role: Role,
    name: z.string(),
    /** The first characters of the key, to recognise it by. */
    prefix: z.string(),
    created_at: Instant,
    expires_at: Instant.nullable(),
    revoked_at: Instant.nullable(),
  })
  .meta({ id: 'ApiKey' })
export type ApiKey = z.infer<typeof ApiKey>

/** Who is calling. Made in one place (access/authenticate.ts), asked in one place (access/authorize.ts). */
export interface Principal {
  readonly kind: 'key'
  readonly id: string
  readonly tenant: string
  readonly role: Role
}
