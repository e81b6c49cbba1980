import { expect, test } from 'vitest'
import { OPERATOR_TENANT } from '../../model/access.ts'
import { digestOf } from '../../model/audit.ts'
import type { Engine } from '../ports.ts'
import { newApiKey, newNote, newTenant } from './engine-fixtures.ts'

const AT = '2026-01-01T00:00:00.000Z'
const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`

export function accessContract(engine: () => Engine): void {
  async function made(change: Parameters<typeof newTenant>[0] = {}) {
    const one = newTenant(change)
    await engine().access.createTenant(one.tenant, one.key, one.hash, null)
    return one
  }

  test('a tenant comes with its first key, found by its hash', async () => {
    const { access } = engine()
    expect(await access.countTenants()).toBe(0)
    const { tenant, key, hash } = await made({ zone: 'Europe/Berlin' })
    expect(await access.countTenants()).toBe(1)
    expect(await access.findKey(hash)).toEqual({ key, tenant })
    expect(await access.findKey('f'.repeat(64))).toBeNull()
    expect(await access.findTenant(tenant.id)).toEqual(tenant)
    expect(await access.findTenant(tenant.name)).toEqual(tenant)
    expect(await access.findTenant('nobody')).toBeNull()
  })

  test('keys that are revoked or expired are found as such', async () => {
    const { access } = engine()
    const { tenant } = await made()
    const { key, hash } = newApiKey(tenant.id, { revoked_at: AT, expires_at: '2025-01-01T00:00:00.000Z' })
    await access.createKey(key, hash, null)
    expect(await access.findKey(hash)).toEqual({ key, tenant })
  })

  test('tenant, key and what the logs say of them are kept together or not at all', async () => {
    const { access, audit } = engine()
    const first = await made()
    const second = newTenant()
    const note = newNote(OPERATOR_TENANT.id, 'tenant.create', second.tenant.id)
    await expect(access.createTenant(second.tenant, second.key, first.hash, note)).rejects.toThrow()
    expect(await access.countTenants()).toBe(1)
    expect(await audit.read(OPERATOR_TENANT.id, 0, 10)).toEqual([])
    expect(await audit.read(second.tenant.id, 0, 10)).toEqual([])
  })

  test('a name is taken once, and the operator has one', async () => {
    const { tenant } = await made()
    for (const name of [tenant.name, OPERATOR_TENANT.name])
      await expect(made({ name })).rejects.toMatchObject({ code: 'name_taken' })
    expect(await engine().access.countTenants()).toBe(1)
  })

  test("the operator's tenant is not found, listed or changed", async () => {
    const { access } = engine()
    expect(await access.findTenant(OPERATOR_TENANT.id)).toBeNull()
    expect(await access.findTenant(OPERATOR_TENANT.name)).toBeNull()
    expect((await access.listTenants({ limit: 10 })).items).toEqual([])
    const note = newNote(OPERATOR_TENANT.id, 'tenant.update')
    expect(await access.updateTenant(OPERATOR_TENANT.id, { suspended: true }, note)).toBeNull()
    const { key, hash } = newApiKey(OPERATOR_TENANT.id, { role: 'operator' })
    await access.createKey(key, hash, null)
    expect(await access.findKey(hash)).toMatchObject({ key, tenant: { ...OPERATOR_TENANT, suspended: false } })
  })

  test('tenants are listed in pages, newest first', async () => {
    const names = []
    for (let i = 0; i < 3; i++) names.unshift((await made()).tenant.name)
    names.sort((a, b) => (a < b ? 1 : -1))
    const first = await engine().access.listTenants({ limit: 2 })
    const second = await engine().access.listTenants({ limit: 2, cursor: first.next! })
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(names)
    expect(second.next).toBeNull()
  })

  test("what an operator does to a tenant is in the operator's log and in the tenant's", async () => {
    const { access, audit } = engine()
    const { tenant, key, hash } = newTenant()
    const note = (action: Parameters<typeof newNote>[1]) => newNote(OPERATOR_TENANT.id, action, tenant.id)
    await access.createTenant(tenant, key, hash, note('tenant.create'))
    const suspended = await access.updateTenant(tenant.id, { suspended: true }, note('tenant.update'))
    expect(suspended).toEqual({ ...tenant, suspended: true })
    const moved = await access.updateTenant(tenant.id, { zone: 'Asia/Tokyo' }, note('tenant.update'))
    expect(moved).toEqual({ ...tenant, suspended: true, zone: 'Asia/Tokyo' })
    const short = await access.updateTenant(tenant.id, { retention_days: 7 }, note('tenant.update'))
    expect(short).toEqual({ ...moved, retention_days: 7 })
    expect(await access.findKey(hash)).toEqual({ key, tenant: short })
    const another = newApiKey(tenant.id)
    await access.createKey(another.key, another.hash, note('key.create'))
    for (const log of [OPERATOR_TENANT.id, tenant.id]) {
      const rows = await audit.read(log, 0, 10)
      expect(rows.map((row) => [row.action, row.before, row.after])).toEqual([
        ['tenant.create', null, digestOf(tenant)],
        ['tenant.update', digestOf(tenant), digestOf(suspended)],
        ['tenant.update', digestOf(suspended), digestOf(moved)],
        ['tenant.update', digestOf(moved), digestOf(short)],
        ['key.create', null, digestOf(another.key)],
      ])
    }
    expect(await access.updateTenant('ten_nobody', { suspended: true }, note('tenant.update'))).toBeNull()
  })

  test('keys are listed and found within their tenant, newest first', async () => {
    const { access } = engine()
    const { tenant, key } = await made()
    const stranger = await made()
    const more = [newApiKey(tenant.id, { role: 'agent', created_by: key.id }), newApiKey(tenant.id, { revoked_at: AT })]
    for (const one of more) await access.createKey(one.key, one.hash, newNote(tenant.id, 'key.create'))
    const all = [key, ...more.map((one) => one.key)].toSorted((a, b) => (a.id < b.id ? 1 : -1))
    const first = await access.listKeys(tenant.id, { limit: 2 })
    const second = await access.listKeys(tenant.id, { limit: 2, cursor: first.next! })
    expect([...first.items, ...second.items]).toEqual(all)
    expect(await access.findKeyById(tenant.id, key.id)).toEqual(key)
    expect(await access.findKeyById(stranger.tenant.id, key.id)).toBeNull()
    expect(await engine().audit.read(tenant.id, 0, 10)).toHaveLength(2)
  })

  test('a key is revoked once, by its own tenant', async () => {
    const { access, audit } = engine()
    const { tenant, key, hash } = await made()
    const stranger = await made()
    const theirs = newNote(stranger.tenant.id, 'key.revoke', key.id)
    expect(await access.revokeKey(stranger.tenant.id, key.id, AT, theirs)).toBeNull()
    const revoked = { ...key, revoked_at: AT }
    const note = newNote(tenant.id, 'key.revoke', key.id)
    expect(await access.revokeKey(tenant.id, key.id, AT, note)).toEqual(revoked)
    expect(await access.revokeKey(tenant.id, key.id, '2026-02-02T00:00:00.000Z', note)).toEqual(revoked)
    expect(await access.findKey(hash)).toEqual({ key: revoked, tenant })
    expect(await audit.read(stranger.tenant.id, 0, 10)).toEqual([])
    expect(await audit.read(tenant.id, 0, 10)).toMatchObject([
      { action: 'key.revoke', target: key.id, before: digestOf(key), after: digestOf(revoked) },
    ])
  })

  test('when a key was last used never moves back', async () => {
    const { access } = engine()
    const { tenant, key } = await made()
    const lastUsed = async () => (await access.findKeyById(tenant.id, key.id))!.last_used_at
    await access.touchKeys([])
    expect(await lastUsed()).toBeNull()
    await access.touchKeys([
      { id: key.id, at: at(2) },
      { id: 'key_gone', at: at(2) },
    ])
    expect(await lastUsed()).toBe(at(2))
    await access.touchKeys([{ id: key.id, at: at(1) }])
    expect(await lastUsed()).toBe(at(2))
    await access.touchKeys([{ id: key.id, at: at(3) }])
    expect(await lastUsed()).toBe(at(3))
  })
}
