import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newApiKey, newNote, newTenant } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { type ApiKey, OPERATOR_TENANT } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { type AuthenticatorOptions, createAuthenticator } from './authenticate.ts'
import { newKey } from './keys.ts'

let folder: string
let engine: Engine
const errors: unknown[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-authenticate-'))
  engine = await openSqliteEngine({ folder })
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

async function keyWith(more: Partial<ApiKey> = {}): Promise<{ key: string; header: string; row: ApiKey }> {
  const fresh = newKey()
  const { tenant } = newTenant()
  const row = newApiKey(tenant.id, { role: 'viewer', prefix: fresh.prefix, ...more }).key
  if (row.tenant === tenant.id) await engine.access.createTenant(tenant, row, fresh.hash, null)
  else await engine.access.createKey(row, fresh.hash, null)
  return { key: fresh.key, header: `Bearer ${fresh.key}`, row }
}

const onError = (error: unknown): void => void errors.push(error)
const create = (options: Partial<AuthenticatorOptions> = {}) =>
  createAuthenticator(engine.access, { onError, ...options })
const lastUse = async ({ tenant, id }: ApiKey) => (await engine.access.findKeyById(tenant, id))!.last_used_at

test('a good key is its principal', async () => {
  const { key, row } = await keyWith()
  const auth = create()
  const principal = { kind: 'key', id: row.id, tenant: row.tenant, role: 'viewer' }
  expect(await auth.authenticate(`Bearer ${key}`)).toEqual(principal)
  expect(await auth.authenticate(`bearer  ${key}`)).toEqual(principal)
  await auth.close()
})

test('revoked, expired and unknown ones are refused, and nothing takes a token when no issuer is configured', async () => {
  const auth = create()
  const revoked = await keyWith({ revoked_at: now() })
  const expired = await keyWith({ expires_at: now(Date.now() - 1) })
  for (const key of [revoked.key, expired.key, newKey().key, 'eyJhbGciOiJub25lIn0.e30.AAAA', 'x']) {
    await expect(auth.authenticate(`Bearer ${key}`)).rejects.toMatchObject({ code: 'unauthenticated' })
  }
})

test('a key is remembered for a while, until it is forgotten or expires', async () => {
  let at = Date.now()
  let asked = 0
  const auth = createAuthenticator(
    { ...engine.access, findKey: (hash) => (asked++, engine.access.findKey(hash)) },
    { rememberMs: 1000, clock: () => at, onError },
  )
  const { header, row } = await keyWith({ expires_at: now(at + 2500) })
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
  await auth.close()
})

test('a revocation counts at once where it is told, even while the key is being looked up, and elsewhere after rememberMs', async () => {
  let at = Date.now()
  const { header, row } = await keyWith()
  const looking = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const slow = createAuthenticator(
    {
      ...engine.access,
      async findKey(hash) {
        const found = await engine.access.findKey(hash)
        looking.resolve()
        await gate.promise
        return found
      },
    },
    { onError },
  )
  const elsewhere = create({ rememberMs: 1000, clock: () => at })
  await elsewhere.authenticate(header)
  const before = slow.authenticate(header)
  await looking.promise
  await engine.access.revokeKey(row.tenant, row.id, now(), newNote(row.tenant, 'key.revoke'))
  slow.forget(row.id)
  gate.resolve()
  expect(await before).toMatchObject({ id: row.id })
  await expect(slow.authenticate(header)).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(await elsewhere.authenticate(header)).toMatchObject({ id: row.id })
  at += 1000
  await expect(elsewhere.authenticate(header)).rejects.toMatchObject({ code: 'unauthenticated' })
  await Promise.all([slow.close(), elsewhere.close()])
})

test('keys of a suspended tenant are refused with a code of their own, and the operator never is', async () => {
  const auth = create()
  const { header, row } = await keyWith()
  const operator = await keyWith({ tenant: OPERATOR_TENANT.id, role: 'operator' })
  await auth.authenticate(header)
  const suspend = (suspended: boolean) =>
    engine.access.updateTenant(row.tenant, { suspended }, newNote(row.tenant, 'tenant.update'))
  await suspend(true)
  expect(await auth.authenticate(header)).toMatchObject({ id: row.id })
  auth.forgetTenant(row.tenant)
  await expect(auth.authenticate(header)).rejects.toMatchObject({ code: 'tenant_suspended' })
  await suspend(false)
  expect(await auth.authenticate(header)).toMatchObject({ id: row.id })
  await engine.access.updateTenant(
    OPERATOR_TENANT.id,
    { suspended: true },
    newNote(OPERATOR_TENANT.id, 'tenant.update'),
  )
  expect(await auth.authenticate(operator.header)).toMatchObject({ role: 'operator' })
  await auth.close()
})

test('the last use of keys is written in one go when the server closes, or when it is time', async () => {
  let at = Date.now()
  const written: unknown[] = []
  const access = {
    ...engine.access,
    touchKeys: (uses: Parameters<typeof engine.access.touchKeys>[0]) => {
      written.push(uses)
      return engine.access.touchKeys(uses)
    },
  }
  const auth = createAuthenticator(access, { onError, clock: () => at })
  const [one, other] = [await keyWith(), await keyWith()]
  await auth.authenticate(one.header)
  at += 10
  await auth.authenticate(one.header)
  await auth.authenticate(other.header)
  expect(written).toEqual([])
  await Promise.all([auth.close(), auth.close()])
  expect(written).toHaveLength(1)
  expect([await lastUse(one.row), await lastUse(other.row)]).toEqual([now(at), now(at)])

  const told = Promise.withResolvers<void>()
  const timed = createAuthenticator(
    { ...engine.access, touchKeys: (uses) => engine.access.touchKeys(uses).finally(told.resolve) },
    { onError, flushMs: 1, clock: () => at + 1000 },
  )
  await timed.authenticate(one.header)
  await told.promise
  expect(await lastUse(one.row)).toBe(now(at + 1000))
  await timed.close()
})

test('when writing the last use fails, the request is none the wiser, it is told, and tried again', async () => {
  const failed = Promise.withResolvers<unknown>()
  let broken = true
  const auth = createAuthenticator(
    {
      ...engine.access,
      touchKeys: (uses) => (broken ? Promise.reject(new Error('disk full')) : engine.access.touchKeys(uses)),
    },
    { onError: failed.resolve, flushMs: 1 },
  )
  const { header, row } = await keyWith()
  expect(await auth.authenticate(header)).toMatchObject({ id: row.id })
  expect(await failed.promise).toMatchObject({ message: 'disk full' })
  expect(await lastUse(row)).toBeNull()
  broken = false
  await auth.close()
  expect(await lastUse(row)).not.toBeNull()
})

test('a verified token is asked for once, and no longer than it holds', async () => {
  let at = Date.now()
  let asked = 0
  const until = at + 1500
  const id = newId('tenant')
  const auth = create({
    clock: () => at,
    rememberMs: 1000,
    verifyToken: async () => {
      asked++
      return { value: { kind: 'token', id: 'oidc:a:b', tenant: id, role: 'agent' }, until }
    },
  })
  const header = 'Bearer eyJhbGciOiJub25lIn0.e30.AAAA'
  const asks = async () => (await auth.authenticate(header), asked)
  expect([await asks(), await asks()]).toEqual([1, 1])
  at += 1000
  expect([await asks(), await asks()]).toEqual([2, 2])
  at = until
  expect(await asks()).toBe(3)
  await auth.close()
  expect(errors).toEqual([])
})
