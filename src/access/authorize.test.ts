import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { admit, newNote, newSkill, newTenant, settle } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { AnyRole, type Grant, type Principal } from '../model/access.ts'
import { newSecret, put, succeed } from '../backends/contract/webhook-fixtures.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { createAuthorizer } from './authorize.ts'
import { covers, placesOf, skillsOf } from '../model/coverage.ts'
import { type Operation, PERMISSIONS } from './permissions.ts'

const OPERATIONS = Object.keys(PERMISSIONS) as Operation[]

let folder: string
let engine: Engine
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-authorize-'))
  engine = await openSqliteEngine({ folder })
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

/** A tenant whose skill `notes` has the stages `prod`, which serves, and `dev`; and the skill `other` with `prod`. */
async function makeWorld() {
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  const notes = await settle(engine, tenant.id, 'notes')
  const other = await settle(engine, tenant.id, 'other')
  const dev = await engine.skills.putStage(
    tenant.id,
    notes.skill.id,
    'dev',
    null,
    undefined,
    newNote(tenant.id, 'stage.put'),
  )
  return { tenant: tenant.id, notes, other, dev }
}

async function grant(principal: Principal, change: Partial<Grant>): Promise<Grant> {
  const made: Grant = {
    id: newId('grant'),
    tenant: principal.tenant,
    principal: principal.id,
    allowed_skills: ['*'],
    stages: null,
    expires_at: null,
    created_by: 'key_1',
    created_at: now(),
    ...change,
  }
  await engine.access.createGrant(made, newNote(principal.tenant, 'grant.create'))
  return made
}

const principalOf = (role: AnyRole, tenant: string): Principal => ({ kind: 'key', id: newId('key'), tenant, role })

describe('without grants', () => {
  const { authorize } = createAuthorizer({} as Engine)
  const allowed = (role: AnyRole) =>
    OPERATIONS.filter((operation) => {
      const permission = PERMISSIONS[operation][role]
      if (permission === 'grant' || permission === 'own') return false
      try {
        expect(authorize(principalOf(role, 'ten_x'), operation, { skill: 'any' })).toBeNull()
        return true
      } catch (error) {
        expect(error).toMatchObject({ code: 'forbidden' })
        // Who is refused is told by whom it can be done, and never sent to themselves.
        const [, who] = /: it (.*)\.$/.exec((error as Error).message)!
        expect(who).toMatch(/^(takes an operator's key|is for [a-z, ]+)$/)
        expect(who!.split(/[ ,]+/)).not.toContain(role)
        return false
      }
    })

  test('the table alone answers what needs no grant: the state is not asked', () => {
    expect(allowed('viewer')).toEqual([
      'self.read',
      'skills.read',
      'versions.read',
      'catalogue.read',
      'discovery.read',
      'runs.read',
      'events.read',
      'queues.read',
      'sessions.read',
      'schedules.read',
      'webhooks.read',
      'quota.read',
    ])
    expect(allowed('developer')).toEqual(['self.read'])
    expect(allowed('agent')).toEqual(['self.read'])
    expect(allowed('operator')).toEqual([
      'self.read',
      'sessions.flush_all',
      'keys.manage',
      'audit.read',
      'tenants.manage',
      'vault.rotate',
      'metrics.read',
      'state.backup',
    ])
    expect(OPERATIONS.filter((operation) => !allowed('owner').includes(operation))).toEqual([
      'sessions.flush_all',
      'tenants.manage',
      'vault.rotate',
      'metrics.read',
      'state.backup',
    ])
  })

  test('every role is answered for every operation', () => {
    for (const operation of OPERATIONS) expect(Object.keys(PERMISSIONS[operation])).toEqual(AnyRole.options)
  })
})

describe('grants', () => {
  test('cover skills, stages and runs by id and by name; what is not there is 404 before it is 403', async () => {
    const { tenant, notes, other, dev } = await makeWorld()
    const developer = principalOf('developer', tenant)
    await grant(developer, { allowed_skills: [notes.skill.id], stages: ['prod'] })
    const { authorize } = createAuthorizer(engine)
    const code = async (operation: Operation, target: Parameters<typeof authorize>[2]) => {
      try {
        await authorize(developer, operation, target)
        return 'yes'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    for (const skill of ['notes', notes.skill.id]) {
      expect(await code('skills.read', { skill })).toBe('yes')
      for (const stage of ['prod', notes.stage.id]) expect(await code('runs.invoke', { skill, stage })).toBe('yes')
      for (const stage of ['dev', dev.id]) expect(await code('runs.invoke', { skill, stage })).toBe('not_granted')
      expect(await code('runs.invoke', { skill, stage: 'none' })).toBe('not_found')
      // Versions belong to the skill, and may have been on other stages only.
      expect(await code('versions.read', { skill })).toBe('not_granted')
    }
    for (const skill of ['other', other.skill.id]) {
      expect(await code('skills.read', { skill })).toBe('not_granted')
      expect(await code('runs.invoke', { skill, stage: 'prod' })).toBe('not_granted')
      expect(await code('runs.invoke', { skill, stage: 'none' })).toBe('not_found')
      expect(await code('runs.invoke', { skill, stage: notes.stage.id })).toBe('not_found')
    }
    expect(await code('skills.read', { skill: 'none' })).toBe('not_found')

    const foreign = await makeWorld()
    expect(await code('skills.read', { skill: foreign.notes.skill.id })).toBe('not_found')
    for (const [place, expected] of [
      [notes, 'yes'],
      [other, 'not_granted'],
      [foreign.notes, 'not_found'],
    ] as const) {
      const hooked = { ...place, secret: await newSecret(engine, place.tenant) }
      await put(engine, hooked)
      await succeed(engine, hooked)
      const { items } = await engine.webhooks.listDeliveries(place.tenant, { limit: 1, stage: place.stage.id })
      expect(await code('webhooks.read', { delivery: items[0]!.id })).toBe(expected)
    }
    for (const [place, expected] of [
      [notes, 'yes'],
      [other, 'not_granted'],
      [foreign.notes, 'not_found'],
    ] as const) {
      const run = await admit(engine.runs, place)
      for (const operation of ['runs.read', 'runs.control'] as const)
        expect(await code(operation, { run })).toBe(expected)
    }
    const onDev = await admit(engine.runs, notes, { stage: dev.id })
    expect(await code('runs.read', { run: onDev })).toBe('not_granted')
    expect(await code('runs.read', { run: newId('run') })).toBe('not_found')
    expect(await code('stages.deploy', { skill: 'none', stage: 'prod' })).toBe('forbidden')
  })

  test('an agent sees and ends what it began itself, where a grant covers it', async () => {
    const { tenant, notes, other } = await makeWorld()
    const agent = principalOf('agent', tenant)
    await grant(agent, { allowed_skills: [notes.skill.id] })
    const { authorize } = createAuthorizer(engine)
    const own = await admit(engine.runs, notes, { created_by: agent.id })
    const anothers = await admit(engine.runs, notes)
    const uncovered = await admit(engine.runs, other, { created_by: agent.id })
    for (const operation of ['runs.read', 'runs.control'] as const) {
      expect(await authorize(agent, operation, { run: own })).toMatchObject({ ownOnly: true })
      for (const run of [anothers, uncovered])
        await expect(authorize(agent, operation, { run })).rejects.toMatchObject({ code: 'not_granted' })
    }
  })

  test('runs of a stage or skill that was deleted are covered by grants of all stages only', async () => {
    const { tenant, notes } = await makeWorld()
    const [all, some] = [principalOf('developer', tenant), principalOf('developer', tenant)]
    await grant(all, {})
    await grant(some, { stages: ['prod'] })
    const run = await admit(engine.runs, notes)
    const { authorize } = createAuthorizer(engine)
    expect(await authorize(some, 'runs.read', { run })).not.toBeNull()
    await engine.skills.deleteSkill(tenant, notes.skill.id, newNote(tenant, 'skill.delete'))
    await expect(authorize(some, 'runs.read', { run })).rejects.toMatchObject({ code: 'not_granted' })
    expect(await authorize(all, 'runs.read', { run })).not.toBeNull()
  })

  test('add up, and a wildcard covers skills that are made later', async () => {
    const { tenant, notes, other } = await makeWorld()
    const developer = principalOf('developer', tenant)
    await grant(developer, { allowed_skills: [notes.skill.id] })
    await grant(developer, { stages: ['dev'] })
    const { authorize } = createAuthorizer(engine)
    const coverage = await authorize(developer, 'skills.read', {})
    expect(covers(coverage, notes.skill.id, 'prod')).toBe(true)
    expect([covers(coverage, other.skill.id, 'prod'), covers(coverage, other.skill.id, 'dev')]).toEqual([false, true])
    expect(skillsOf(coverage)).toBeUndefined()
    const later = newSkill(tenant, 'later')
    await engine.skills.createSkill(later, newNote(tenant, 'skill.create'))
    expect(await authorize(developer, 'skills.read', { skill: 'later' })).not.toBeNull()
  })

  test('expire to the millisecond, and are remembered until they are forgotten', async () => {
    const { tenant, notes } = await makeWorld()
    const developer = principalOf('developer', tenant)
    let at = Date.now()
    const ends = at + 1500
    await grant(developer, { expires_at: now(ends) })
    let asked = 0
    const access = {
      ...engine.access,
      grantsOf: (...of: [string, string, string]) => (asked++, engine.access.grantsOf(...of)),
    }
    const { authorize, forget, grantsOf } = createAuthorizer(
      { ...engine, access },
      { rememberMs: 1000, clock: () => at },
    )
    const target = { skill: notes.skill.id }
    const count = async () => (await authorize(developer, 'skills.read', target), asked)
    expect([await count(), await count()]).toEqual([1, 1])
    at += 999
    expect(await count()).toBe(1)
    at += 1
    expect(await count()).toBe(2)
    at = ends - 1
    expect(await count()).toBe(2)
    at = ends
    await expect(authorize(developer, 'skills.read', target)).rejects.toMatchObject({ code: 'not_granted' })
    expect(await grantsOf(developer)).toEqual([])
    expect(asked).toBe(2)
    const lasting = await grant(developer, {})
    forget('key_of_another')
    await expect(authorize(developer, 'skills.read', target)).rejects.toMatchObject({ code: 'not_granted' })
    forget(developer.id)
    expect(await count()).toBe(3)
    await engine.access.deleteGrant(tenant, lasting.id, newNote(tenant, 'grant.delete'))
    at += 1000
    await expect(count()).rejects.toMatchObject({ code: 'not_granted' })
  })

  test('a change that comes while grants are being read is not covered up by what was read', async () => {
    const { tenant, notes } = await makeWorld()
    const developer = principalOf('developer', tenant)
    const made = await grant(developer, {})
    const read = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow = async (...of: [string, string, string]) => {
      const found = await engine.access.grantsOf(...of)
      read.resolve()
      await gate.promise
      return found
    }
    const { authorize, forget } = createAuthorizer({ ...engine, access: { ...engine.access, grantsOf: slow } })
    const first = authorize(developer, 'skills.read', { skill: notes.skill.id })
    await read.promise
    await engine.access.deleteGrant(tenant, made.id, newNote(tenant, 'grant.delete'))
    forget(developer.id)
    gate.resolve()
    await first
    await expect(authorize(developer, 'skills.read', { skill: notes.skill.id })).rejects.toMatchObject({
      code: 'not_granted',
    })
  })

  test("lists: the runs of what is covered, and an agent's own", async () => {
    const { tenant, notes, other, dev } = await makeWorld()
    const developer = principalOf('developer', tenant)
    const [first, onDev, elsewhere] = [
      await admit(engine.runs, notes),
      await admit(engine.runs, notes, { stage: dev.id, created_by: developer.id }),
      await admit(engine.runs, other),
    ]
    const { authorize, forget } = createAuthorizer(engine)
    const listed = async () => {
      const coverage = await authorize(developer, 'runs.read', {})
      const page = await engine.runs.list(tenant, { limit: 10, only: placesOf(coverage) })
      const skills = await engine.skills.listSkills(tenant, { limit: 10, only: skillsOf(coverage) })
      return [page.items.map(({ id }) => id).toSorted(), skills.items.map(({ name }) => name).toSorted()]
    }
    const widen = async (change: Partial<Grant>) => {
      await grant(developer, change)
      forget(developer.id)
    }
    expect(await listed()).toEqual([[], []])
    await widen({ allowed_skills: [notes.skill.id], stages: ['dev', 'none'] })
    expect(await listed()).toEqual([[onDev], ['notes']])
    await widen({ stages: ['prod'] })
    expect(await listed()).toEqual([[elsewhere, onDev, first].toSorted(), ['notes', 'other']])
    const own = await engine.runs.list(tenant, { limit: 10, createdBy: developer.id, only: [] })
    expect(own.items).toEqual([])
    expect((await engine.runs.list(tenant, { limit: 10, createdBy: developer.id })).items).toHaveLength(1)
  })
})
