import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { ApiKey } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { createAuthenticator } from './authenticate.ts'
import { bootstrap, ownerKeyFile } from './bootstrap.ts'
import { hashKey, newKey } from './keys.ts'

let dataDir: string
let engine: Engine
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-access-'))
  engine = await openSqliteEngine({ folder: dataDir })
})
afterEach(async () => {
  await engine.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function keyWith(more: Partial<ApiKey>): Promise<{ key: string; row: ApiKey }> {
  const fresh = newKey()
  const tenant = { id: newId('tenant'), name: fresh.prefix, created_at: now() }
  const row: ApiKey = {
    id: newId('key'),
    tenant: tenant.id,
    role: 'viewer',
    name: 'k',
    prefix: fresh.prefix,
    created_at: now(),
    expires_at: null,
    revoked_at: null,
    ...more,
  }
  await engine.access.createTenant(tenant, row, fresh.hash)
  return { key: fresh.key, row }
}

describe('the first start', () => {
  test('makes a tenant and a key that only its owner can read, and hands it out once', async () => {
    const first = await bootstrap({ engine, dataDir })
    expect(first).toMatchObject({ tenant: { name: 'default' }, file: ownerKeyFile(dataDir) })
    expect((await stat(first!.file)).mode & 0o777).toBe(0o600)
    expect(await readFile(first!.file, 'utf8')).toBe(`${first!.key}\n`)
    expect(await engine.access.findKey(hashKey(first!.key))).toMatchObject({ role: 'owner', tenant: first!.tenant.id })
    expect(await bootstrap({ engine, dataDir })).toBeNull()
    expect(await engine.access.countTenants()).toBe(1)
  })

  test('the key itself is in no file but its own', async () => {
    const { key } = (await bootstrap({ engine, dataDir }))!
    for (const entry of await readdir(dataDir, { withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'owner.key') continue
      expect((await readFile(join(dataDir, entry.name))).includes(key)).toBe(false)
    }
  })

  test('one that was killed between the file and the tenant goes on with the key in the file', async () => {
    const { key } = newKey()
    await writeFile(ownerKeyFile(dataDir), `${key}\n`, { mode: 0o600 })
    expect((await bootstrap({ engine, dataDir }))!.key).toBe(key)
  })

  test('a file that holds no key is replaced', async () => {
    await writeFile(ownerKeyFile(dataDir), 'torn')
    await chmod(ownerKeyFile(dataDir), 0o644)
    const { key, file } = (await bootstrap({ engine, dataDir }))!
    expect(await readFile(file, 'utf8')).toBe(`${key}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })
})

describe('authenticating', () => {
  test('a good key is its principal', async () => {
    const { key, row } = await keyWith({})
    const auth = createAuthenticator(engine.access)
    const principal = { kind: 'key', id: row.id, tenant: row.tenant, role: 'viewer' }
    expect(await auth.authenticate(`Bearer ${key}`)).toEqual(principal)
    expect(await auth.authenticate(`bearer  ${key}`)).toEqual(principal)
  })

  test('revoked, expired and unknown ones are refused', async () => {
    const auth = createAuthenticator(engine.access)
    const revoked = await keyWith({ revoked_at: now() })
    const expired = await keyWith({ expires_at: now(Date.now() - 1) })
    for (const key of [revoked.key, expired.key, newKey().key]) {
      await expect(auth.authenticate(`Bearer ${key}`)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  test('a key is remembered for a while, until it is forgotten or expires', async () => {
    let at = Date.now()
    let asked = 0
    const auth = createAuthenticator(
      { findKey: (hash) => (asked++, engine.access.findKey(hash)) },
      { rememberMs: 1000, clock: () => at },
    )
    const { key, row } = await keyWith({ expires_at: now(at + 2500) })
    const header = `Bearer ${key}`
    const asks = async (): Promise<number> => {
      await auth.authenticate(header)
      return asked
    }
    expect([await asks(), await asks()]).toEqual([1, 1])
    at += 1001
    expect([await asks(), await asks()]).toEqual([2, 2])
    auth.forget(row.id)
    expect(await asks()).toBe(3)
    at += 1498
    expect(await asks()).toBe(4)
    at += 1
    await expect(auth.authenticate(header)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
