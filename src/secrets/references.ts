import type { SecretStore, Vault } from '../backends/access-ports.ts'
import { type Problem, SkilletError } from '../model/errors.ts'
import type { Connection, Secret } from '../model/secrets.ts'
import type { ResolvedSecrets, SecretRefs, SecretsService } from './secrets.ts'
import { confidentialParts, connectionOf } from './values.ts'

/** From the names in a stage's configuration to what a run gets. */
export function createReferences(
  secrets: Pick<SecretStore, 'findSecret' | 'findSecrets'>,
  vault: Pick<Vault, 'get'>,
): Pick<SecretsService, 'refer' | 'resolve'> {
  return {
    async refer(tenant, refs) {
      const ids: Record<string, string> = {}
      const problems: Problem[] = []
      for (const [name, idOrName] of Object.entries(refs)) {
        const secret = await secrets.findSecret(tenant, idOrName)
        if (secret !== null) ids[name] = secret.id
        else problems.push({ pointer: `/config/secret_refs/${name}`, message: `is no secret: "${idOrName}"` })
      }
      if (problems.length === 0) return ids
      throw new SkilletError('secret_unknown', `${problems.length} of the secrets are unknown.`, { problems })
    },

    async resolve(tenant, refs) {
      const ids = [...new Set(Object.values(refs))].toSorted()
      if (ids.length === 0) return NOTHING
      let found = await findAll(tenant, ids, refs)
      for (;;) {
        try {
          return await read(found, refs)
        } catch (error) {
          if (error instanceof SkilletError) throw error
          // A value that was replaced between the two is gone; its successor is there.
          const again = await findAll(tenant, ids, refs)
          if (variantOf(again) === variantOf(found)) {
            throw new SkilletError('vault_unavailable', 'The vault has lost a value.', { cause: error })
          }
          found = again
        }
      }
    },
  }

  /** In the order of their ids. @throws SkilletError secret_unknown */
  async function findAll(tenant: string, ids: readonly string[], refs: SecretRefs): Promise<Secret[]> {
    const found = await secrets.findSecrets(tenant, ids)
    const known = new Set(found.map(({ id }) => id))
    const names = Object.keys(refs).filter((name) => !known.has(refs[name]!))
    if (names.length === 0) return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    throw new SkilletError('secret_unknown', `The secrets of ${names.join(', ')} were deleted.`)
  }

  async function read(found: readonly Secret[], refs: SecretRefs): Promise<ResolvedSecrets> {
    const env: Record<string, string> = {}
    const connections: Record<string, Connection> = {}
    const confidential = new Set<string>()
    const values = await Promise.all(found.map(({ path, revision }) => vault.get(path, revision)))
    for (const [i, { id, kind }] of found.entries()) {
      const value = values[i]!
      const connection = kind === 'connection' ? connectionOf(value) : null
      for (const part of confidentialParts(value, connection)) confidential.add(part)
      for (const [name, ref] of Object.entries(refs)) {
        if (ref !== id) continue
        env[name] = value
        if (connection !== null) connections[name] = connection
      }
    }
    return { env, connections, values: [...confidential], variant: variantOf(found), ids: found.map(({ id }) => id) }
  }
}

const NOTHING: ResolvedSecrets = { env: {}, connections: {}, values: [], variant: '', ids: [] }

const variantOf = (secrets: readonly Secret[]): string => secrets.map(({ id, revision }) => `${id}:${revision}`).join()
