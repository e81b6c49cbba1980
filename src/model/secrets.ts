import { z } from 'zod'
import { Instant } from './json.ts'

/** Names of environment variables. */
export const EnvName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)

export const SecretName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, "_", "." and "-"; begins with a letter or digit')
  .meta({ id: 'SecretName', example: 'github-token' })

/** `connection`: a URL with everything it takes to connect; a skill gets it parsed as well (DESIGN 9). */
export const SecretKind = z.enum(['value', 'connection']).meta({ id: 'SecretKind' })
export type SecretKind = z.infer<typeof SecretKind>

/** What is known of a secret. Its value is in the vault and never comes out of the API. */
export const Secret = z
  .object({
    id: z.string(),
    tenant: z.string(),
    name: SecretName,
    kind: SecretKind,
    path: z.string().meta({ description: '`agent-runner/<env>/tenant/<tenant_id>/secrets/<secret_id>` (seed 000).' }),
    revision: z.number().int().meta({ description: 'Of the value: goes up with each new one, from 1.' }),
    created_by: z.string(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Secret' })
export type Secret = z.infer<typeof Secret>

/** The value of a secret of the kind `connection`, in its parts: names and passwords as they are, no longer percent-encoded. */
export interface Connection {
  readonly url: string
  /** Without the colon, such as `postgres`. */
  readonly protocol: string
  /** In lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number | null
  readonly username: string | null
  readonly password: string | null
  /** The path without its first slash; of a database URL, the name of the database. */
  readonly path: string
  /** What follows the "?", by name; of one that is there twice, the last. */
  readonly params: Readonly<Record<string, string>>
}
