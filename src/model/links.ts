import { z } from 'zod'
import { Instant } from './json.ts'
import { Name } from './skills.ts'

/**
 * A URL that nobody can guess, through which the skill files that a stage serves are fetched without a key. Its token is stored only as a
 * SHA-256 and shown once.
 */
export const Link = z
  .object({
    id: z.string(),
    tenant: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: 'The first characters of the token, to recognise it by.' }),
    stage: Name.meta({ description: 'Whose versions are fetched through it.' }),
    skills: z.array(z.string()).meta({ description: 'Ids of skills, or `["*"]` for all, also later ones.' }),
    created_by: z.string(),
    created_at: Instant,
    expires_at: Instant.nullable(),
    last_used_at: Instant.nullable().meta({ description: 'To the minute or so.' }),
    revoked_at: Instant.nullable(),
  })
  .meta({ id: 'Link' })
export type Link = z.infer<typeof Link>
