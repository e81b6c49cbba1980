import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Package } from '../../model/packages.ts'
import type { Skill, Version } from '../../model/skills.ts'
import type { Engine } from '../ports.ts'
import { activate, cursorOf, newDeployment, newNote, newPackage, newSkill, newTenant } from './engine-fixtures.ts'

export function catalogueContract(engine: () => Engine): void {
  test('a package becomes a version without a stage, and the skill comes with the first', async () => {
    const { catalogue, skills } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    const first = await publish(engine(), skill, '1.0.0', true)
    expect(first).toMatchObject({ made: true, version: { version: '1.0.0', sequence: 1 } })
    expect(await skills.findSkill(skill.tenant, 'notes')).toEqual(skill)
    const second = await publish(engine(), skill, '1.1.0')
    expect(second.version.sequence).toBe(2)
    expect(await skills.findPackage(skill.tenant, 'sha256:1.1.0')).toMatchObject({ name: 'notes' })
    expect(await catalogue.versionAt(skill.tenant, skill.id, 2)).toEqual(second.version)
    expect(await catalogue.versionAt(newId('tenant'), skill.id, 2)).toBeNull()
    await expect(publish(engine(), newSkill(skill.tenant, 'notes'), '1.0.0', true)).rejects.toMatchObject({
      code: 'name_taken',
    })
    await expect(publish(engine(), newSkill(skill.tenant, 'never'), '1.0.0')).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('the same package again is the version that it was', async () => {
    const skill = newSkill(newId('tenant'), 'notes')
    const first = await publish(engine(), skill, '1.0.0', true)
    expect(await publish(engine(), skill, '1.0.0')).toEqual({ made: false, version: first.version })
    await expect(publish(engine(), skill, '1.0.0', false, 'sha256:other')).rejects.toMatchObject({
      code: 'version_taken',
    })
  })

  test('versions are listed in the order in which they were made, newest first, whatever their numbers', async () => {
    const { catalogue } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    for (const version of ['2.0.0', '1.0.0', '1.5.0']) await publish(engine(), skill, version, version === '2.0.0')
    const first = await catalogue.versions(skill.tenant, skill.id, { limit: 2 })
    const second = await catalogue.versions(skill.tenant, skill.id, { limit: 2, cursor: first.next! })
    expect([...first.items, ...second.items].map(({ version }) => version)).toEqual(['1.5.0', '1.0.0', '2.0.0'])
    expect(second.next).toBeNull()
    const cursor = cursorOf(skill.id)
    await expect(catalogue.versions(skill.tenant, skill.id, { limit: 2, cursor })).rejects.toMatchObject({
      code: 'bad_request',
    })
    const oldest = await catalogue.versions(skill.tenant, skill.id, { limit: 9, oldestFirst: true, after: 1 })
    expect(oldest.items.map(({ version }) => version)).toEqual(['1.0.0', '1.5.0'])
    expect(await catalogue.highest(skill.id)).toBe('2.0.0')
  })

  test('a version that was withdrawn is gone, and its number and place are never given again', async () => {
    const { catalogue, skills } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    await publish(engine(), skill, '1.0.0', true)
    const { version } = await publish(engine(), skill, '1.1.0')
    const note = newNote(skill.tenant, 'version.withdraw', version.id)
    expect(await catalogue.withdraw(newId('tenant'), skill.id, version.id, note)).toBeNull()
    expect(await catalogue.withdraw(skill.tenant, skill.id, version.id, note)).toEqual({ retired: null })
    expect(await catalogue.withdraw(skill.tenant, skill.id, version.id, note)).toBeNull()
    expect(await skills.findVersion(skill.tenant, skill.id, '1.1.0')).toBeNull()
    expect(await catalogue.highest(skill.id)).toBe('1.1.0')
    await expect(publish(engine(), skill, '1.1.0')).rejects.toMatchObject({ code: 'version_taken' })
    // The package itself may come again, under a number of its own.
    const again = await publish(engine(), skill, '1.2.0', false, 'sha256:1.1.0')
    expect(again.version).toMatchObject({ version: '1.2.0', sequence: 3 })
  })

  test('a version that another stage serves is not withdrawn; of stage prod it is taken', async () => {
    const { catalogue, skills } = engine()
    const skill = newSkill(newId('tenant'), 'notes')
    const { version } = await publish(engine(), skill, '1.0.0', true)
    const [prod, dev] = await Promise.all(['prod', 'dev'].map((name) => stageOf(engine(), skill, name)))
    const served = newDeployment(prod!, '1.0.0')
    await activate(engine(), prod!, served)
    await activate(engine(), dev!, newDeployment(dev!, '1.0.0'))
    const note = newNote(skill.tenant, 'version.withdraw', version.id)
    await expect(catalogue.requireWithdrawable(version)).rejects.toMatchObject({ code: 'version_in_use' })
    await expect(catalogue.withdraw(skill.tenant, skill.id, version.id, note)).rejects.toMatchObject({
      code: 'version_in_use',
      data: { stages: ['dev'] },
    })
    expect(await skills.findVersion(skill.tenant, skill.id, '1.0.0')).toEqual(version)

    await skills.deleteStage(skill.tenant, dev!.id, note)
    expect(await catalogue.withdraw(skill.tenant, skill.id, version.id, note)).toEqual({ retired: served.id })
    expect(await skills.findStage(skill.tenant, skill.id, 'prod')).toMatchObject({ deployment: null, state: 'empty' })
    expect((await skills.listActivations(skill.tenant, prod!.id, { limit: 10 })).items).toEqual([])
  })

  test('a catalogue is what stages of one name serve, in pages, of one tenant', async () => {
    const { catalogue } = engine()
    const tenant = newId('tenant')
    const made: Skill[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      const skill = { ...newSkill(tenant, name), id: `skl_${'0'.repeat(25)}${name}`, display_name: `The ${name}` }
      await publish(engine(), skill, '1.0.0', true)
      const stage = await stageOf(engine(), skill, name === 'd' ? 'dev' : 'prod')
      await activate(engine(), stage, newDeployment(stage, '1.0.0'))
      made.push(skill)
    }
    const first = await catalogue.served(tenant, 'prod', { limit: 2 })
    const second = await catalogue.served(tenant, 'prod', { limit: 2, cursor: first.next! })
    expect([first, second].map(({ items }) => items.map(({ name }) => name))).toEqual([['c', 'b'], ['a']])
    expect(second.next).toBeNull()
    const only = await catalogue.served(tenant, 'prod', { limit: 10, only: [made[1]!.id, made[3]!.id] })
    expect(only.items.map(({ name }) => name)).toEqual(['b'])
    expect((await catalogue.served(newId('tenant'), 'prod', { limit: 10 })).items).toEqual([])
    const oldest = await catalogue.served(tenant, 'prod', { limit: 2, oldestFirst: true, after: made[0]!.id })
    expect(oldest.items.map(({ name }) => name)).toEqual(['b', 'c'])
    await publish(engine(), made[1]!, '1.1.0')
    expect(await catalogue.findServed(tenant, 'prod', 'b')).toMatchObject({
      served: { version: '1.0.0', sequence: 1 },
      latest: { version: '1.1.0', sequence: 2 },
    })
    expect(await catalogue.summary(tenant, 'sha256:1.0.0')).toMatchObject({ description: 'Tells.', kind: 'python' })
    expect(await catalogue.summary(newId('tenant'), 'sha256:1.0.0')).toBeNull()
    expect(await catalogue.findServed(tenant, 'dev', 'd')).toMatchObject({ version: '1.0.0', kind: 'python' })
    expect(await catalogue.findServed(tenant, 'prod', 'd')).toBeNull()
    expect(await catalogue.findServed(tenant, 'prod', made[0]!.id)).toEqual({
      skill: made[0]!.id,
      tenant,
      name: 'a',
      display_name: 'The a',
      stage: 'prod',
      deployment: expect.any(String) as string,
      version: '1.0.0',
      digest: 'sha256:1.0.0',
      served: {
        id: expect.any(String) as string,
        version: '1.0.0',
        sequence: 1,
        created_at: expect.any(String) as string,
      },
      latest: {
        id: expect.any(String) as string,
        version: '1.0.0',
        sequence: 1,
        created_at: expect.any(String) as string,
      },
      created_at: made[0]!.created_at,
      updated_at: expect.any(String) as string,
      provided: false,
      description: 'Tells.',
      kind: 'python',
      frontmatter: null,
      skill_md: null,
      files: 0,
      tokens: { metadata: 4, body: 0, files: 0 },
    })
    await engine().skills.deleteSkill(tenant, made[0]!.id, newNote(tenant, 'skill.delete'))
    expect(await catalogue.findServed(tenant, 'prod', 'a')).toBeNull()
  })

  test('tenants whose skills others see are those that operators named, unless they are suspended', async () => {
    const { catalogue, access } = engine()
    const made = []
    for (const audience of ['tenant', 'server', 'public', 'public'] as const) {
      const { tenant, key, hash } = newTenant({ audience })
      await access.createTenant(tenant, key, hash, null)
      made.push(tenant)
    }
    const note = newNote(made[3]!.id, 'tenant.update')
    await access.updateTenant(made[3]!.id, { suspended: true }, note)
    // Ids of one millisecond come in any order.
    const both = [made[1]!, made[2]!].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    expect(await catalogue.providers()).toEqual(both)
    await access.updateTenant(made[1]!.id, { audience: 'tenant' }, note)
    expect(await catalogue.providers()).toEqual([made[2]])
  })

  test('an archive of a package is remembered by its layout', async () => {
    const { catalogue } = engine()
    const tenant = newId('tenant')
    const archive = { sha256: 'c'.repeat(64), size: 7 }
    expect(await catalogue.findArchive(tenant, 'sha256:1', 'root')).toBeNull()
    await catalogue.keepArchive(tenant, 'sha256:1', 'root', archive)
    expect(await catalogue.findArchive(tenant, 'sha256:1', 'root')).toEqual(archive)
    expect(await catalogue.findArchive(tenant, 'sha256:1', 'folder')).toBeNull()
    expect(await catalogue.findArchive(newId('tenant'), 'sha256:1', 'root')).toBeNull()
    const found = await catalogue.findArchives(tenant, ['sha256:0', 'sha256:1'], 'root')
    expect([...found]).toEqual([['sha256:1', archive]])
    expect((await catalogue.findArchives(tenant, [], 'root')).size).toBe(0)
    expect((await catalogue.findArchives(tenant, ['sha256:1'], 'plugin')).size).toBe(0)
    expect((await catalogue.findArchives(newId('tenant'), ['sha256:1'], 'root')).size).toBe(0)
    expect(await engine().upkeep.unusedBlobs([archive.sha256, 'd'.repeat(64)])).toEqual(['d'.repeat(64)])
  })
}

function publish(
  engine: Engine,
  skill: Skill,
  version: string,
  create: boolean = false,
  digest: string = `sha256:${version}`,
): Promise<{ version: Version; made: boolean }> {
  const source: Package = newPackage(digest)
  return engine.catalogue.publish({
    skill,
    create,
    package: source,
    version: {
      id: newId('version'),
      tenant: skill.tenant,
      skill: skill.id,
      version,
      digest,
      created_by: 'key_1',
      created_at: now(),
    },
    note: newNote(skill.tenant, 'version.publish'),
  })
}

const stageOf = (engine: Engine, skill: Skill, name: string) =>
  engine.skills.putStage(skill.tenant, skill.id, name, null, undefined, newNote(skill.tenant, 'stage.put'))
