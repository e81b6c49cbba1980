import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import { newNote, newSigningKey } from './engine-fixtures.ts'

export function signingContract(engine: () => Engine): void {
  test('a tenant signs with one key at a time, and keeps those that it signed with before', async () => {
    const { signing } = engine()
    const tenant = newId('tenant')
    const note = newNote(tenant, 'signing_key.create')
    const first = newSigningKey(tenant)
    const second = { ...first, id: 'ed25519-2', created_at: '2999-01-01T00:00:00.000Z' }
    expect(await signing.activeKey(tenant)).toBeNull()
    expect(await signing.addSigningKey(first, 'path/1', null, note)).toBe(true)
    expect(await signing.activeKey(tenant)).toEqual({ key: first, path: 'path/1' })
    // Whoever thought that there was none comes too late.
    expect(await signing.addSigningKey(second, 'path/2', null, note)).toBe(false)
    expect(await signing.addSigningKey(second, 'path/2', 'ed25519-9', note)).toBe(false)
    expect(await signing.activeKey(tenant)).toEqual({ key: first, path: 'path/1' })
    expect(await signing.addSigningKey(second, 'path/2', first.id, note)).toBe(true)
    expect(await signing.signingKeys(tenant)).toEqual([second, { ...first, retired_at: second.created_at }])
    expect(await signing.signingKeys(newId('tenant'))).toEqual([])
  })

  test('of many that make the first key at once, one does', async () => {
    const { signing } = engine()
    const tenant = newId('tenant')
    const note = newNote(tenant, 'signing_key.create')
    const ends = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        signing.addSigningKey({ ...newSigningKey(tenant), id: `ed25519-${i}` }, `${tenant}/${i}`, null, note),
      ),
    )
    expect(ends.filter(Boolean)).toHaveLength(1)
    expect(await signing.signingKeys(tenant)).toHaveLength(1)
  })
}
