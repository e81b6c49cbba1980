import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import { newTenant } from './engine-fixtures.ts'

export function accessContract(engine: () => Engine): void {
  test('a tenant comes with its first key, found by its hash', async () => {
    const { access } = engine()
    expect(await access.countTenants()).toBe(0)
    const { tenant, key, hash } = newTenant()
    await access.createTenant(tenant, key, hash)
    expect(await access.countTenants()).toBe(1)
    expect(await access.findKey(hash)).toEqual(key)
    expect(await access.findKey('f'.repeat(64))).toBeNull()
  })

  test('keys that are revoked or expired are found as such', async () => {
    const { access } = engine()
    const { tenant, key, hash } = newTenant()
    const ended = { ...key, revoked_at: '2026-01-01T00:00:00.000Z', expires_at: '2025-01-01T00:00:00.000Z' }
    await access.createTenant(tenant, ended, hash)
    expect(await access.findKey(hash)).toEqual(ended)
  })

  test('tenant and key are kept together or not at all', async () => {
    const { access } = engine()
    const first = newTenant()
    await access.createTenant(first.tenant, first.key, first.hash)
    const second = newTenant()
    await expect(access.createTenant(second.tenant, second.key, first.hash)).rejects.toThrow()
    expect(await access.countTenants()).toBe(1)
  })
}
