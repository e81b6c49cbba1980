import { beforeEach, expect, test } from 'vitest'
import type { Grant } from '../../model/access.ts'
import { digestOf } from '../../model/audit.ts'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { Engine } from '../ports.ts'
import { newApiKey, newNote, newSkill, newTenant } from './engine-fixtures.ts'

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `skl_${i}`)

export function grantsContract(engine: () => Engine): void {
  let tenant: string
  let key: string
  beforeEach(async () => {
    const one = newTenant()
    await engine().access.createTenant(one.tenant, one.key, one.hash, null)
    tenant = one.tenant.id
    const agent = newApiKey(tenant, { role: 'agent' })
    await engine().access.createKey(agent.key, agent.hash, null)
    key = agent.key.id
  })

  async function granted(change: Partial<Grant> = {}): Promise<Grant> {
    const grant: Grant = {
      id: newId('grant'),
      tenant,
      principal: key,
      allowed_skills: ['skl_1'],
      stages: null,
      expires_at: null,
      created_by: 'key_1',
      created_at: now(),
      ...change,
    }
    await engine().access.createGrant(grant, newNote(grant.tenant, 'grant.create', grant.id))
    return grant
  }

  test('a grant is found as it was made, within its tenant', async () => {
    const { access } = engine()
    const grant = await granted({ allowed_skills: ['skl_1', 'skl_2'], stages: ['dev', 'prod'], expires_at: now() })
    expect(await access.findGrant(tenant, grant.id)).toEqual(grant)
    expect(await access.findGrant('ten_other', grant.id)).toBeNull()
    const all = await granted({ allowed_skills: ['*'], stages: [] })
    expect(await access.findGrant(tenant, all.id)).toEqual(all)
  })

  test('the grants of one principal name so many skills together, and those of others theirs', async () => {
    for (let i = 0; i < 4; i++) await granted({ allowed_skills: named(LIMITS.grantedSkills / 4) })
    const full = { code: 'grants_full', message: expect.stringContaining(String(LIMITS.grantedSkills + 1)) }
    await expect(granted()).rejects.toMatchObject(full)
    expect((await engine().access.grantsOf(tenant, key, now())).flatMap((one) => one.allowed_skills)).toHaveLength(
      LIMITS.grantedSkills,
    )
    await granted({ principal: 'oidc:corp:anna' })
  })

  test('grants are listed in pages, newest first, of one principal if wanted', async () => {
    const { access } = engine()
    const mine = [await granted({ allowed_skills: ['skl_1', 'skl_2', 'skl_3'] }), await granted(), await granted()]
    const other = await granted({ principal: 'oidc:corp:anna' })
    const first = await access.listGrants(tenant, { limit: 2, principal: key })
    const second = await access.listGrants(tenant, { limit: 2, principal: key, cursor: first.next! })
    expect([...first.items, ...second.items]).toEqual(newestFirst(mine))
    expect(second.next).toBeNull()
    expect((await access.listGrants(tenant, { limit: 10 })).items).toEqual(newestFirst([...mine, other]))
    expect((await access.listGrants('ten_other', { limit: 10 })).items).toEqual([])
  })

  test('those of a principal that are in force at an instant add up', async () => {
    const { access } = engine()
    const forever = await granted({ allowed_skills: ['skl_1', 'skl_2'] })
    const until = await granted({ expires_at: '2030-01-01T00:00:00.000Z' })
    await granted({ principal: 'key_other' })
    const at = (instant: string) => access.grantsOf(tenant, key, instant)
    expect(await at('2029-12-31T23:59:59.999Z')).toEqual(newestFirst([forever, until]))
    expect(await at('2030-01-01T00:00:00.000Z')).toEqual([forever])
    expect(await access.grantsOf('ten_other', key, now())).toEqual([])
  })

  test('a grant is deleted once, by its own tenant, and both changes are in the log', async () => {
    const { access, audit } = engine()
    const grant = await granted()
    expect(await access.deleteGrant('ten_other', grant.id, newNote('ten_other', 'grant.delete'))).toBe(false)
    expect(await access.deleteGrant(tenant, grant.id, newNote(tenant, 'grant.delete', grant.id))).toBe(true)
    expect(await access.deleteGrant(tenant, grant.id, newNote(tenant, 'grant.delete', grant.id))).toBe(false)
    expect(await access.findGrant(tenant, grant.id)).toBeNull()
    expect(await audit.read('ten_other', 0, 10)).toEqual([])
    expect(await audit.read(tenant, 0, 10)).toMatchObject([
      { action: 'grant.create', target: grant.id, before: null, after: digestOf(grant) },
      { action: 'grant.delete', target: grant.id, before: digestOf(grant), after: null },
    ])
  })

  test('a deleted skill is in no grant any more; a grant of nothing else goes with it, one of all skills stays', async () => {
    const { access, skills } = engine()
    const [gone, kept] = [newSkill(tenant, 'gone'), newSkill(tenant, 'kept')]
    for (const skill of [gone, kept]) await skills.createSkill(skill, newNote(tenant, 'skill.create', skill.id))
    const both = await granted({ allowed_skills: [gone.id, kept.id].toSorted() })
    const only = await granted({ allowed_skills: [gone.id] })
    const all = await granted({ allowed_skills: ['*'] })
    await skills.deleteSkill(tenant, gone.id, newNote(tenant, 'skill.delete', gone.id))
    const left = newestFirst([{ ...both, allowed_skills: [kept.id] }, all])
    expect((await access.listGrants(tenant, { limit: 10 })).items).toEqual(left)
    expect(await access.grantsOf(tenant, key, now())).toEqual(left)
    expect(await access.findGrant(tenant, only.id)).toBeNull()
  })

  test('the grants of a key go with it, and the log says which', async () => {
    const { access, audit } = engine()
    const mine = [await granted(), await granted({ allowed_skills: ['*'] })]
    const other = await granted({ principal: 'key_other' })
    await access.revokeKey(tenant, key, now(), newNote(tenant, 'key.revoke', key))
    expect((await access.listGrants(tenant, { limit: 10 })).items).toEqual([other])
    const { detail } = (await audit.read(tenant, 0, 10)).at(-1)!
    expect((detail['deleted_grants'] as string[]).toSorted()).toEqual(mine.map(({ id }) => id).toSorted())
  })
}

const newestFirst = (grants: Grant[]): Grant[] => grants.toSorted((a, b) => (a.id < b.id ? 1 : -1))
