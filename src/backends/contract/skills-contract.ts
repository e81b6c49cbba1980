import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import { NOTE, LONG, SUCCEEDED, admit, newRun, newSkill, newUpload, settle } from './engine-fixtures.ts'

export function skillsContract(engine: () => Engine): void {
  test('a skill is found by id and by name, in its tenant only', async () => {
    const { skills } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    await skills.createSkill(skill, NOTE)
    expect(await skills.findSkill(skill.tenant, skill.id)).toEqual(skill)
    expect(await skills.findSkill(skill.tenant, 'notes')).toEqual(skill)
    expect(await skills.findSkill(newId('tenant'), skill.id)).toBeNull()
    expect(await skills.findSkill(newId('tenant'), 'notes')).toBeNull()
  })

  test('a name is taken once in a tenant, also when many ask at once', async () => {
    const { skills } = engine()
    const tenant = newId('tenant')
    const ends = await Promise.allSettled(
      Array.from({ length: 10 }, () => skills.createSkill(newSkill(tenant, 'notes'), NOTE)),
    )
    const refused = ends.filter((end) => end.status === 'rejected')
    expect(refused).toHaveLength(9)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'name_taken' })
    await skills.createSkill(newSkill(newId('tenant'), 'notes'), NOTE)
  })

  test('skills are listed newest first, in pages that new ones do not disturb', async () => {
    const { skills } = engine()
    const tenant = newId('tenant')
    await skills.createSkill(newSkill(newId('tenant'), 'other'), NOTE)
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await skills.createSkill({ ...newSkill(tenant, name), id: `skl_${name}` }, NOTE)
    const first = await skills.listSkills(tenant, { limit: 2 })
    await skills.createSkill({ ...newSkill(tenant, 'f'), id: 'skl_f' }, NOTE)
    const second = await skills.listSkills(tenant, { limit: 2, cursor: first.next! })
    const third = await skills.listSkills(tenant, { limit: 2, cursor: second.next! })
    const names = [first, second, third].map(({ items }) => items.map(({ name }) => name))
    expect(names).toEqual([['e', 'd'], ['c', 'b'], ['a']])
    expect(third.next).toBeNull()
    await expect(skills.listSkills(tenant, { limit: 2, cursor: '§' })).rejects.toMatchObject({ code: 'bad_request' })
  })

  test('a description can be changed, by its tenant only', async () => {
    const { skills } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    await skills.createSkill(skill, NOTE)
    expect(await skills.updateSkill(newId('tenant'), skill.id, { description: 'x' }, NOTE)).toBeNull()
    expect(await skills.updateSkill(skill.tenant, skill.id, { description: 'New.' }, NOTE)).toMatchObject({
      name: 'notes',
      description: 'New.',
    })
    expect(await skills.findSkill(skill.tenant, skill.id)).toMatchObject({ description: 'New.' })
  })

  test('a deleted skill is gone with its stages, its name is free, its runs stay', async () => {
    const { skills, runs } = engine()
    const place = await settle(engine())
    const { tenant, skill, stage } = place
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    const done = await admit(runs, place)
    const running = await admit(runs, place)
    const [first] = await runs.take('default', 2, LONG)
    await runs.finish(done, first!.token, SUCCEEDED)
    const queued = await admit(runs, place)

    expect(await skills.deleteSkill(newId('tenant'), skill.id, NOTE)).toBe(false)
    expect(await skills.deleteSkill(tenant, skill.id, NOTE)).toBe(true)
    expect(await skills.deleteSkill(tenant, skill.id, NOTE)).toBe(false)

    expect(await skills.findServed(tenant, 'notes', 'prod')).toBeNull()
    expect(await skills.findSkill(tenant, 'notes')).toBeNull()
    expect(await skills.findSkill(tenant, skill.id)).toBeNull()
    expect((await skills.listSkills(tenant, { limit: 10 })).items).toEqual([])
    expect(await skills.listStages(tenant, skill.id)).toEqual([])
    expect(await skills.updateSkill(tenant, skill.id, { description: 'x' }, NOTE)).toBeNull()
    await expect(skills.putStage(tenant, skill.id, 'dev', null, undefined, NOTE)).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(skills.receiveUpload(upload.id, upload.created_at, NOTE)).rejects.toMatchObject({
      code: 'upload_expired',
    })
    expect(await runs.find(tenant, done)).toMatchObject({ status: 'succeeded' })
    expect(await runs.find(tenant, queued)).toMatchObject({ status: 'cancelled' })
    expect(await runs.find(tenant, running)).toMatchObject({ status: 'running', cancel_requested: true })
    expect(await runs.nextVisible('default')).toBeGreaterThan(Date.now())
    await skills.createSkill(newSkill(tenant, 'notes'), NOTE)
  })

  test('a stage is made once, found by id and name, and changed at its present revision only', async () => {
    const { skills } = engine()
    const { tenant, skill } = await settle(engine())
    const made = await skills.putStage(tenant, skill.id, 'dev', { size: 'S' }, undefined, NOTE)
    expect(made).toMatchObject({ name: 'dev', state: 'empty', config: { size: 'S' }, revision: 1, deployment: null })
    expect(await skills.putStage(tenant, skill.id, 'dev', null, undefined, NOTE)).toEqual(made)
    expect(await skills.findStage(tenant, skill.id, 'dev')).toEqual(made)
    expect(await skills.findStage(tenant, skill.id, made.id)).toEqual(made)
    expect(await skills.findStage(newId('tenant'), skill.id, made.id)).toBeNull()
    const served = { skill: skill.name, stage: { name: 'dev', deployment: null } }
    for (const [one, other] of [
      [skill.id, made.id],
      [skill.name, 'dev'],
    ] as const) {
      expect(await skills.findServed(tenant, one, other)).toEqual(served)
      expect(await skills.findServed(newId('tenant'), one, other)).toBeNull()
    }
    expect(await skills.findServed(tenant, skill.name, 'none')).toEqual({ ...served, stage: null })
    expect(await skills.findServed(tenant, 'none', 'dev')).toBeNull()
    await expect(skills.putStage(newId('tenant'), skill.id, 'dev', null, undefined, NOTE)).rejects.toMatchObject({
      code: 'not_found',
    })

    const writes = ['L', 'XL'].map((size) => skills.putStage(tenant, skill.id, 'dev', { size: size as 'L' }, 1, NOTE))
    const ends = await Promise.allSettled(writes)
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(ends.find((end) => end.status === 'rejected')?.reason).toMatchObject({ code: 'stage_changed' })
    expect(await skills.putStage(tenant, skill.id, 'dev', { size: 'M' }, undefined, NOTE)).toMatchObject({
      revision: 3,
    })
    await expect(skills.putStage(tenant, skill.id, 'new', null, 7, NOTE)).rejects.toMatchObject({
      code: 'stage_changed',
    })
    expect(await skills.findStage(tenant, skill.id, 'new')).toBeNull()
    expect((await skills.listStages(tenant, skill.id)).map(({ name }) => name)).toEqual(['dev', 'prod'])
    expect(await skills.listStages(newId('tenant'), skill.id)).toEqual([])
  })

  test('a deleted stage takes its queued runs with it, and no others', async () => {
    const { skills, runs } = engine()
    const place = await settle(engine())
    const other = await settle(engine(), place.tenant, 'other')
    const mine = await admit(runs, place)
    const its = newRun(other)
    await runs.admit(its, 'default', NOTE)
    expect(await skills.deleteStage(newId('tenant'), place.stage.id, NOTE)).toBe(false)
    expect(await skills.deleteStage(place.tenant, place.stage.id, NOTE)).toBe(true)
    expect(await skills.deleteStage(place.tenant, place.stage.id, NOTE)).toBe(false)
    expect(await skills.findStage(place.tenant, place.skill.id, 'prod')).toBeNull()
    expect(await runs.find(place.tenant, mine)).toMatchObject({ status: 'cancelled' })
    expect(await runs.find(place.tenant, its.id)).toMatchObject({ status: 'queued' })
  })
}
