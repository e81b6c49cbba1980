import { join } from 'node:path'
import type { AccessStore } from '../backends/access-ports.ts'
import type { Engine } from '../backends/ports.ts'
import { type ApiKey, OPERATOR_TENANT, RETENTION_DAYS, type Tenant } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { keyInFile } from './key-file.ts'
import { type KeyParts, isInForce } from './keys.ts'

/** Where the owner key of the first tenant lies, readable by its owner only. */
export const ownerKeyFile = (dataDir: string): string => join(dataDir, 'owner.key')
/** Where the key of the operator lies, readable by its owner only. */
export const operatorKeyFile = (dataDir: string): string => join(dataDir, 'operator.key')

interface Place {
  readonly engine: Pick<Engine, 'access'>
  readonly dataDir: string
}

/**
 * Makes the first tenant and its owner key when there is none yet.
 * @returns The key, to be printed this once; null when there is a tenant already.
 */
export async function bootstrap(parts: Place): Promise<{ tenant: Tenant; key: string; file: string } | null> {
  const { access } = parts.engine
  if ((await access.countTenants()) > 0) return null
  const file = ownerKeyFile(parts.dataDir)
  const fresh = await keyInFile(file, isUsed(access))
  const tenant: Tenant = {
    id: newId('tenant'),
    name: 'default',
    suspended: false,
    zone: 'UTC',
    retention_days: RETENTION_DAYS,
    audience: 'tenant',
    created_at: now(),
  }
  await access.createTenant(tenant, firstKey(tenant.id, 'owner', fresh), fresh.hash, null)
  return { tenant, key: fresh.key, file }
}

/**
 * Makes a key for the operator when none is in force: at the first start, and on data of a version that knew no operators.
 * @returns The key, to be printed this once; null when there is one in force.
 */
export async function bootstrapOperator(parts: Place): Promise<{ key: string; file: string } | null> {
  const { access } = parts.engine
  if (await operatorInForce(access)) return null
  const file = operatorKeyFile(parts.dataDir)
  const fresh = await keyInFile(file, isUsed(access))
  await access.createKey(firstKey(OPERATOR_TENANT.id, 'operator', fresh), fresh.hash, null)
  return { key: fresh.key, file }
}

/** Named after its role, made by nobody, for ever. */
function firstKey(tenant: string, role: 'owner' | 'operator', { prefix }: KeyParts): ApiKey {
  return {
    id: newId('key'),
    tenant,
    role,
    name: role,
    prefix,
    created_by: null,
    created_at: now(),
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
  }
}

async function operatorInForce(access: AccessStore): Promise<boolean> {
  let cursor: string | undefined
  do {
    const page = await access.listKeys(OPERATOR_TENANT.id, { limit: 200, cursor })
    if (page.items.some((key) => isInForce(key))) return true
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return false
}

const isUsed =
  (access: AccessStore) =>
  async (hash: string): Promise<boolean> =>
    (await access.findKey(hash)) !== null
