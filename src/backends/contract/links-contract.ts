import { expect, test } from 'vitest'
import type { Link } from '../../model/links.ts'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Engine } from '../ports.ts'
import { newNote, newTenant } from './engine-fixtures.ts'

const AT = '2026-01-01T00:00:00.000Z'
const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`

export function newLink(tenant: string, change: Partial<Link> = {}): { link: Link; hash: string } {
  const link: Link = {
    id: newId('link'),
    tenant,
    name: 'for the team',
    prefix: 'lk_abc',
    stage: 'prod',
    skills: ['*'],
    created_by: 'key_1',
    created_at: now(),
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
    ...change,
  }
  return { link, hash: link.id.padEnd(64, '0') }
}

export function linksContract(engine: () => Engine): void {
  async function made(change: Partial<Link> = {}) {
    const { tenant, key, hash: keyHash } = newTenant()
    await engine().access.createTenant(tenant, key, keyHash, null)
    const { link, hash } = newLink(tenant.id, change)
    await engine().links.createLink(link, hash, newNote(tenant.id, 'link.create', link.id))
    return { tenant, link, hash }
  }

  test('is found by the hash of its token, also when it is revoked or expired, and in its tenant by its id', async () => {
    const { links } = engine()
    const { tenant, link, hash } = await made({
      skills: ['skl_a', 'skl_b'],
      stage: 'dev',
      expires_at: AT,
      revoked_at: AT,
    })
    expect(await links.findLinkByHash(hash)).toEqual({ link, tenant })
    expect(await links.findLinkByHash('f'.repeat(64))).toBeNull()
    expect(await links.findLink(tenant.id, link.id)).toEqual(link)
    expect(await links.findLink(newId('tenant'), link.id)).toBeNull()
  })

  test('links are listed in pages, newest first, each tenant its own', async () => {
    const { links } = engine()
    await made()
    const { tenant, link } = await made()
    const ids = [link.id]
    for (let i = 0; i < 2; i++) {
      const more = newLink(tenant.id)
      await links.createLink(more.link, more.hash, newNote(tenant.id, 'link.create'))
      ids.push(more.link.id)
    }
    ids.sort((a, b) => (a < b ? 1 : -1))
    const first = await links.listLinks(tenant.id, { limit: 2 })
    const second = await links.listLinks(tenant.id, { limit: 2, cursor: first.next! })
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
    expect(second.next).toBeNull()
  })

  test('is revoked once, and by its own tenant', async () => {
    const { links, audit } = engine()
    const { tenant, link, hash } = await made()
    const note = newNote(tenant.id, 'link.revoke', link.id)
    expect(await links.revokeLink(newId('tenant'), link.id, at(1), note)).toBeNull()
    expect(await links.revokeLink(tenant.id, link.id, at(1), note)).toEqual({ ...link, revoked_at: at(1) })
    expect(await links.revokeLink(tenant.id, link.id, at(2), note)).toEqual({ ...link, revoked_at: at(1) })
    expect((await links.findLinkByHash(hash))!.link.revoked_at).toBe(at(1))
    const rows = await audit.read(tenant.id, 0, 10)
    expect(rows.map(({ action, target }) => [action, target])).toEqual([
      ['link.create', link.id],
      ['link.revoke', link.id],
    ])
    expect(JSON.stringify(rows)).not.toContain(hash)
  })

  test('its last use never moves back', async () => {
    const { links } = engine()
    const { tenant, link } = await made()
    await links.touchLinks([])
    await links.touchLinks([{ id: link.id, at: at(2) }])
    await links.touchLinks([
      { id: link.id, at: at(1) },
      { id: newId('link'), at: at(3) },
    ])
    expect((await links.findLink(tenant.id, link.id))!.last_used_at).toBe(at(2))
  })

  test('a token has one link', async () => {
    const { tenant, hash } = await made()
    const { link } = newLink(tenant.id)
    await expect(engine().links.createLink(link, hash, newNote(tenant.id, 'link.create'))).rejects.toThrow()
    expect((await engine().links.listLinks(tenant.id, { limit: 10 })).items).toHaveLength(1)
  })
}
