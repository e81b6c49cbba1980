import type { Vault } from '../backends/access-ports.ts'
import { createKeyedLock } from '../backends/keyed-lock.ts'
import type { Engine } from '../backends/ports.ts'
import { OPERATOR_TENANT } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Secret } from '../model/secrets.ts'
import { createReferences } from './references.ts'
import type { SecretsService } from './secrets.ts'
import { requireValue } from './values.ts'

/**
 * @param parts.environment Names this installation in the paths of secrets: lower-case letters, digits and hyphens.
 * @param parts.onError Told of values that could not be removed after they were replaced; nobody can read them by any route.
 */
export function createSecretsService(parts: {
  engine: Pick<Engine, 'secrets'>
  vault: Vault
  environment: string
  onError: (error: unknown, doing: string) => void
}): SecretsService {
  const { vault, environment, onError } = parts
  const { secrets } = parts.engine
  if (!ENVIRONMENT.test(environment)) {
    throw new Error(
      `The environment "${environment}" is not a name of up to 32 lower-case letters, digits and hyphens.`,
    )
  }
  const lock = createKeyedLock()

  async function find(tenant: string, idOrName: string): Promise<Secret> {
    const secret = await secrets.findSecret(tenant, idOrName)
    if (secret === null) throw notFound('secret', idOrName)
    return secret
  }

  /** What was asked for is done already: that something is left over must not say otherwise. */
  async function prune(path: string, keep: number | null): Promise<void> {
    await vault.prune(path, keep).catch((error: unknown) => onError(error, `removing old values of ${path}`))
  }

  return {
    find,
    list: (tenant, page) => secrets.listSecrets(tenant, page),
    ...createReferences(secrets, vault),

    async create(caller, { name, kind, value }) {
      requireValue(kind, value)
      // The store decides; this only spares the vault.
      if ((await secrets.findSecret(caller.tenant, name)) !== null) throw taken(name)
      const id = newId('secret')
      const at = now()
      const secret: Secret = {
        id,
        tenant: caller.tenant,
        name,
        kind,
        path: `agent-runner/${environment}/tenant/${caller.tenant}/secrets/${id}`,
        revision: 1,
        created_by: caller.id,
        created_at: at,
        updated_at: at,
      }
      // The value first: metadata never speaks of a value that is not there.
      await vault.put(secret.path, 1, value)
      try {
        await secrets.createSecret(secret, noteOf(caller, 'secret.create', { kind: 'secret', id }, { name, kind }))
      } catch (error) {
        await prune(secret.path, null)
        throw error
      }
      return secret
    },

    async update(caller, idOrName, value) {
      const { id } = await find(caller.tenant, idOrName)
      // Two that write the same revision of the value at a time would each take the other's for its own.
      return lock(id, async () => {
        const { kind, name, path, revision } = await find(caller.tenant, id)
        requireValue(kind, value)
        await vault.put(path, revision + 1, value)
        const note = noteOf(caller, 'secret.update', { kind: 'secret', id }, { name, revision: revision + 1 })
        const secret = await secrets.reviseSecret(caller.tenant, id, revision, now(), note)
        if (secret === null) {
          await prune(path, null)
          throw notFound('secret', idOrName)
        }
        await prune(path, secret.revision)
        return secret
      })
    },

    async remove(caller, idOrName) {
      const { id } = await find(caller.tenant, idOrName)
      return lock(id, async () => {
        const { name } = await find(caller.tenant, id)
        const note = noteOf(caller, 'secret.delete', { kind: 'secret', id }, { name })
        const gone = await secrets.deleteSecret(caller.tenant, id, note)
        if (gone === null) throw notFound('secret', idOrName)
        await prune(gone.path, null)
      })
    },

    rotate: (caller) => vault.rotate(noteOf(caller, 'vault.rotate', { kind: 'tenant', id: OPERATOR_TENANT.id })),
  }
}

const ENVIRONMENT = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/

function taken(name: string): SkilletError {
  return new SkilletError('name_taken', `There is a secret "${name}" already.`)
}
