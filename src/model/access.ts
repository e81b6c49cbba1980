import { z } from 'zod'
import { Instant } from './json.ts'
import type { Link } from './links.ts'
import { LIMITS } from './sizes.ts'
import { Name } from './skills.ts'

/** What a principal of a tenant is. */
export const Role = z.enum(['owner', 'developer', 'viewer', 'agent']).meta({ id: 'Role' })
export type Role = z.infer<typeof Role>

/** An operator manages tenants and sees nothing of what is theirs. */
export const AnyRole = z.enum([...Role.options, 'operator']).meta({ id: 'AnyRole' })
export type AnyRole = z.infer<typeof AnyRole>

/** The tenant that operators' keys and audit events belong to. It has no skills and is in no list. */
export const OPERATOR_TENANT = { id: `ten_${'0'.repeat(26)}`, name: 'operator' } as const

/** How long a tenant keeps what is over. */
export const RetentionDays = z.number().int().min(1).max(LIMITS.retentionDays).meta({
  description:
    'After so many days, runs that are over are removed with all that is theirs, and so is what was uploaded and is served no more.',
  example: 30,
})
export const RETENTION_DAYS = 30

/**
 * Who sees the skills that a tenant serves to agents: itself; `server`: every tenant of this server, as skills that come with it;
 * `public`: everybody else besides, without a key. Operators decide.
 */
export const Audience = z.enum(['tenant', 'server', 'public']).meta({ id: 'Audience' })
export type Audience = z.infer<typeof Audience>

export const Tenant = z
  .object({
    id: z.string(),
    name: Name,
    /** Nothing of it is served or run while this is set. */
    suspended: z.boolean(),
    zone: z.string().meta({ description: 'IANA zone in which its days and months begin.', example: 'Europe/Berlin' }),
    retention_days: RetentionDays,
    audience: Audience,
    created_at: Instant,
  })
  .meta({ id: 'Tenant' })
export type Tenant = z.infer<typeof Tenant>

/** An API key as it may be shown: the key itself is stored only as a SHA-256 and printed once. */
export const ApiKey = z
  .object({
    id: z.string(),
    tenant: z.string(),
    role: AnyRole,
    name: z.string(),
    prefix: z.string().meta({ description: 'The first characters of the key, to recognise it by.' }),
    created_by: z.string().nullable(),
    created_at: Instant,
    expires_at: Instant.nullable(),
    last_used_at: Instant.nullable().meta({ description: 'To the minute or so.' }),
    revoked_at: Instant.nullable(),
  })
  .meta({ id: 'ApiKey' })
export type ApiKey = z.infer<typeof ApiKey>

/** Which skills a principal that is no owner may use. Grants of one principal add up. */
export const Grant = z
  .object({
    id: z.string(),
    tenant: z.string(),
    principal: z.string().meta({ description: 'Id of a key, or `oidc:<issuer name>:<subject>`.' }),
    allowed_skills: z.array(z.string()).meta({ description: 'Ids of skills, or `["*"]` for all, also later ones.' }),
    stages: z.array(Name).nullable().meta({ description: 'Names of stages; null: all.' }),
    expires_at: Instant.nullable(),
    created_by: z.string(),
    created_at: Instant,
  })
  .meta({ id: 'Grant' })
export type Grant = z.infer<typeof Grant>

/** What a link is for. */
export type LinkReach = Pick<Link, 'stage' | 'skills'>

/** Who is calling. Made in one place (access/authenticate.ts), asked in one place (access/authorize.ts). */
export interface Principal {
  readonly kind: 'key' | 'token' | 'link'
  /** Id of the key or link, or `oidc:<issuer name>:<subject>`. */
  readonly id: string
  readonly tenant: string
  readonly role: AnyRole
  /** Of a link: it has this instead of grants. */
  readonly link?: LinkReach
}

/** A principal in one request, for what has to be told about it later. */
export interface Caller extends Principal {
  readonly request_id: string
  /** Address of the client, if there is one. */
  readonly client: string | null
  /** W3C traceparent of the request, if it is traced. */
  readonly trace?: string | undefined
}
