import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SecretStore, Vault } from '../backends/access-ports.ts'
import { newTenant } from '../backends/contract/engine-fixtures.ts'
import { openMasterKeys } from '../backends/disk/master-key.ts'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Caller } from '../model/access.ts'
import { createSecretsService } from './service.ts'

let folder: string
let engine: SqlEngine
let vault: Vault
let caller: Caller
const errors: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-secrets-'))
  engine = await openSqliteEngine({ folder })
  vault = engine.vault(await openMasterKeys({ dataDir: folder }))
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  caller = { kind: 'key', id: key.id, tenant: tenant.id, role: 'owner', request_id: 'req_1', client: null }
})
afterEach(async () => {
  errors.length = 0
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

/** The real one, but that some steps fail, as when the server is killed just there. */
function service(failing: { vault?: Partial<Vault>; secrets?: Partial<SecretStore> } = {}) {
  return createSecretsService({
    engine: { secrets: { ...engine.secrets, ...failing.secrets } },
    vault: { ...vault, ...failing.vault },
    environment: 'test',
    onError: (error, doing) => void errors.push(`${doing}: ${(error as Error).message}`),
  })
}
const fails = () => Promise.reject(new Error('killed'))
const NEW = { name: 'token', kind: 'value', value: 'first' } as const

test('what breaks off while a secret is made leaves no secret, and its name is free', async () => {
  await expect(service({ vault: { put: fails } }).create(caller, NEW)).rejects.toThrow('killed')
  await expect(service({ secrets: { createSecret: fails } }).create(caller, NEW)).rejects.toThrow('killed')
  expect((await service().list(caller.tenant, { limit: 10 })).items).toEqual([])
  const secret = await service().create(caller, NEW)
  expect((await service().resolve(caller.tenant, { A: secret.id })).env).toEqual({ A: 'first' })
})

test('what breaks off while a value is replaced leaves the old one in force, and can be repeated', async () => {
  const { id } = await service().create(caller, NEW)
  const inForce = async () => {
    const { env, variant } = await service().resolve(caller.tenant, { A: id })
    return [env['A'], variant]
  }
  await expect(service({ vault: { put: fails } }).update(caller, id, 'second')).rejects.toThrow('killed')
  await expect(service({ secrets: { reviseSecret: fails } }).update(caller, id, 'second')).rejects.toThrow('killed')
  expect(await inForce()).toEqual(['first', `${id}:1`])
  await service().update(caller, id, 'third')
  expect(await inForce()).toEqual(['third', `${id}:2`])
})

test('an old value that cannot be removed is told of; what was asked for is done, and the next change removes it', async () => {
  const { id, path } = await service().create(caller, NEW)
  expect((await service({ vault: { prune: fails } }).update(caller, id, 'second')).revision).toBe(2)
  expect(errors).toEqual([`removing old values of ${path}: killed`])
  expect(await vault.get(path, 1)).toBe('first')
  await service().update(caller, id, 'third')
  await expect(vault.get(path, 1)).rejects.toThrow('no revision')
  await service().remove(caller, id)
  await expect(vault.get(path, 3)).rejects.toThrow('no revision')
})

test('a value that the vault has lost is an error with a code', async () => {
  const { id, path } = await service().create(caller, NEW)
  await vault.prune(path, null)
  await expect(service().resolve(caller.tenant, { A: id })).rejects.toMatchObject({ code: 'vault_unavailable' })
})

test('a secret of another tenant is unknown, and nothing is looked up for no references', async () => {
  const { id } = await service().create(caller, NEW)
  await expect(service().resolve('ten_other', { A: id })).rejects.toMatchObject({ code: 'secret_unknown' })
  const blind = service({ secrets: { findSecrets: fails }, vault: { get: fails } })
  expect(await blind.resolve(caller.tenant, {})).toEqual({ env: {}, connections: {}, values: [], variant: '', ids: [] })
})

test.each(['', 'Prod', 'a/b', '-a', 'a'.repeat(33)])('"%s" names no environment', (environment) => {
  expect(() => createSecretsService({ engine, vault, environment, onError: () => {} })).toThrow('The environment')
})
