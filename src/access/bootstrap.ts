import { link, open, readFile, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../backends/ports.ts'
import type { ApiKey, Tenant } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { type KeyParts, describeKey, isKey, newKey } from './keys.ts'

/** Where the owner key of the first tenant lies, readable by its owner only. */
export const ownerKeyFile = (dataDir: string): string => join(dataDir, 'owner.key')

/**
 * Makes the first tenant and its owner key when there is none yet.
 * @returns The key, to be printed this once; null when there is a tenant already.
 */
export async function bootstrap(parts: {
  engine: Engine
  dataDir: string
}): Promise<{ tenant: Tenant; key: string; file: string } | null> {
  const { engine, dataDir } = parts
  if ((await engine.access.countTenants()) > 0) return null
  const file = ownerKeyFile(dataDir)
  // The file comes first: a crash between the two must not leave a tenant whose key nobody ever saw.
  const fresh = await keyInFile(file)
  const at = now()
  const tenant: Tenant = { id: newId('tenant'), name: 'default', created_at: at }
  const key: ApiKey = {
    id: newId('key'),
    tenant: tenant.id,
    role: 'owner',
    name: 'owner',
    prefix: fresh.prefix,
    created_at: at,
    expires_at: null,
    revoked_at: null,
  }
  await engine.access.createTenant(tenant, key, fresh.hash)
  return { tenant, key: fresh.key, file }
}

/** The key that an interrupted bootstrap left in the file, or a new one, synced to disk under that name all or nothing. */
async function keyInFile(file: string): Promise<KeyParts> {
  const left = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    },
  )
  if (left !== null && isKey(left)) return describeKey(left)
  if (left !== null) await unlink(file)
  const fresh = newKey()
  const draft = `${file}.${process.pid}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${fresh.key}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
  return fresh
}
