import { SkilletError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets.ts'
import type { StageConfig } from '../../model/skills.ts'
import type { Queries } from './database.ts'

/**
 * Refuses while a stage's configuration, what it serves, or its webhook refers to the secret. In the transaction that deletes it.
 * @throws SkilletError secret_in_use with data.stages, as `skill/stage`
 */
export async function requireUnused(t: Queries, secret: Secret): Promise<void> {
  // Both are JSON text that holds the id if it is used; `_` stands for any character there, so what is found is looked at.
  const rows = await t.query<{ skill: string; stage: string; config: string; body: string | null }>(
    `SELECT k.name AS skill, s.name AS stage, s.config, d.body FROM stages s JOIN skills k ON k.id = s.skill
     LEFT JOIN deployments d ON d.id = s.deployment
     WHERE s.tenant = ? AND (s.config LIKE ? OR d.body LIKE ?) ORDER BY k.name, s.name`,
    secret.tenant,
    `%${secret.id}%`,
    `%${secret.id}%`,
  )
  const users = rows.filter(
    ({ config, body }) =>
      refersTo(JSON.parse(config) as StageConfig, secret.id) ||
      (body !== null && refersTo((JSON.parse(body) as { config: StageConfig }).config, secret.id)),
  )
  const hooks = await t.query<{ skill: string; stage: string }>(
    `SELECT k.name AS skill, s.name AS stage FROM webhooks w JOIN stages s ON s.id = w.stage JOIN skills k ON k.id = s.skill
     WHERE w.secret = ? ORDER BY k.name, s.name`,
    secret.id,
  )
  const stages = [...new Set([...users, ...hooks].map(({ skill, stage }) => `${skill}/${stage}`))]
  if (stages.length === 0) return
  const named = stages.slice(0, 5).join(', ') + (stages.length > 5 ? ` and ${stages.length - 5} more` : '')
  throw new SkilletError('secret_in_use', `Secret "${secret.name}" is used by ${named}.`, { data: { stages } })
}

/**
 * Refuses a configuration that refers to secrets that are gone. In the transaction that stores or serves it: whoever deletes one comes
 * before and is seen, or comes after and is refused.
 * @throws SkilletError secret_unknown
 */
export async function requireSecrets(
  t: Queries,
  tenant: string,
  { secret_refs: refs = {} }: Pick<StageConfig, 'secret_refs'>,
): Promise<void> {
  const wanted = [...new Set(Object.values(refs))]
  if (wanted.length === 0) return
  const rows = await t.query<{ id: string }>(
    `SELECT id FROM secrets WHERE tenant = ? AND id IN (${wanted.map(() => '?').join()})`,
    tenant,
    ...wanted,
  )
  const known = new Set(rows.map(({ id }) => id))
  const gone = Object.entries(refs).filter(([, id]) => !known.has(id))
  if (gone.length === 0) return
  const problems = gone.map(([name, id]) => ({
    pointer: '',
    message: `${name} refers to secret "${id}", which is not there (any more)`,
  }))
  throw new SkilletError('secret_unknown', `${gone.length} of the secrets are not there.`, { problems })
}

/** The same for one that signs webhooks. @throws SkilletError secret_unknown */
export async function requireSecret(t: Queries, tenant: string, id: string): Promise<void> {
  const [known] = await t.query('SELECT id FROM secrets WHERE id = ? AND tenant = ?', id, tenant)
  if (known === undefined) throw new SkilletError('secret_unknown', `There is no secret "${id}" (any more).`)
}

const refersTo = ({ secret_refs: refs = {} }: StageConfig, id: string): boolean => Object.values(refs).includes(id)
