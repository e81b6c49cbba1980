import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Engine } from '../ports.ts'
import { NOTE, activate, cursorOf, newDeployment, newUpload, settle, versionOf } from './engine-fixtures.ts'

export function deploymentsContract(engine: () => Engine): void {
  test('an activation points the stage, keeps version and deployment, and is remembered', async () => {
    const { skills } = engine()
    const { tenant, skill, stage, deployment } = await settle(engine())
    expect(stage).toMatchObject({ state: 'active', deployment: deployment.id, revision: 2 })
    expect(await skills.findStage(tenant, skill.id, 'prod')).toEqual(stage)
    expect(await skills.findDeployment(tenant, deployment.id)).toEqual(deployment)
    expect(await skills.findDeployment(newId('tenant'), deployment.id)).toBeNull()
    const version = await skills.findVersion(tenant, skill.id, '1.0.0')
    expect(version).toMatchObject({ version: '1.0.0', digest: 'sha256:1.0.0' })
    expect(await skills.findVersion(tenant, skill.id, version!.id)).toEqual(version)
    expect(await skills.findVersionOfDigest(tenant, skill.id, 'sha256:1.0.0')).toEqual(version)
    expect(await skills.findVersion(newId('tenant'), skill.id, '1.0.0')).toBeNull()
    expect(await skills.findVersionOfDigest(newId('tenant'), skill.id, 'sha256:1.0.0')).toBeNull()
    const history = await skills.listActivations(tenant, stage.id, { limit: 10 })
    expect(history).toEqual({
      items: [{ deployment: deployment.id, version: '1.0.0', kind: 'deploy', by: 'key_1', at: expect.any(String) }],
      next: null,
    })
  })

  test('of many activations at one revision exactly one wins, and the others leave nothing', async () => {
    const { skills } = engine()
    const { tenant, skill, stage } = await settle(engine())
    const deployments = Array.from({ length: 8 }, (_, i) => newDeployment(stage, `1.${i + 1}.0`))
    const ends = await Promise.allSettled(deployments.map((deployment) => activate(engine(), stage, deployment)))
    const won = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [i] : []))
    expect(won).toHaveLength(1)
    for (const end of ends) if (end.status === 'rejected') expect(end.reason.code).toBe('stage_changed')
    const winner = deployments[won[0]!]!
    expect(await skills.findStage(tenant, skill.id, 'prod')).toMatchObject({ deployment: winner.id, revision: 3 })
    for (const deployment of deployments) {
      const kept = deployment === winner
      expect((await skills.findDeployment(tenant, deployment.id)) !== null).toBe(kept)
      expect((await skills.findVersion(tenant, skill.id, deployment.version)) !== null).toBe(kept)
    }
    expect((await skills.listActivations(tenant, stage.id, { limit: 10 })).items).toHaveLength(2)
  })

  test('a rollback and a promotion move the pointer to what is there already', async () => {
    const { skills } = engine()
    const { tenant, skill, stage, deployment } = await settle(engine())
    const second = await activate(engine(), stage, newDeployment(stage, '1.1.0'))
    const back = await activate(engine(), second, deployment, { kind: 'rollback', by: 'key_2' })
    expect(back).toMatchObject({ deployment: deployment.id, revision: 4 })
    const dev = await skills.putStage(tenant, skill.id, 'dev', null, undefined, NOTE)
    const promoted = { ...newDeployment(dev, '1.1.0'), origin: 'promote', promoted_from: deployment.id } as const
    expect(await activate(engine(), dev, promoted, { kind: 'promote' })).toMatchObject({ state: 'active' })
    const history = await skills.listActivations(tenant, stage.id, { limit: 2 })
    expect(history.items.map(({ kind, version, by }) => [kind, version, by])).toEqual([
      ['rollback', '1.0.0', 'key_2'],
      ['deploy', '1.1.0', 'key_1'],
    ])
    const rest = await skills.listActivations(tenant, stage.id, { limit: 2, cursor: history.next! })
    expect(rest).toMatchObject({ items: [{ version: '1.0.0' }], next: null })
    const cursor = cursorOf(deployment.id)
    await expect(skills.listActivations(tenant, stage.id, { limit: 2, cursor })).rejects.toMatchObject({
      code: 'bad_request',
    })
    expect((await skills.listActivations(newId('tenant'), stage.id, { limit: 2 })).items).toEqual([])
  })

  test('a version names one package for ever, and a package has one version', async () => {
    const { skills } = engine()
    const { tenant, skill, stage, deployment } = await settle(engine())
    const other = newDeployment(stage, '1.0.0', 'sha256:other')
    await expect(activate(engine(), stage, other)).rejects.toMatchObject({ code: 'version_taken' })
    const renamed = newDeployment(stage, '2.0.0', deployment.digest)
    await expect(activate(engine(), stage, renamed)).rejects.toMatchObject({ code: 'version_taken' })
    expect(await skills.findStage(tenant, skill.id, 'prod')).toEqual(stage)
    expect(await skills.findDeployment(tenant, other.id)).toBeNull()
    const again = await activate(engine(), stage, newDeployment(stage, '1.0.0'))
    expect(again.revision).toBe(3)
  })

  test("another tenant's stage, and one that is gone, cannot be activated", async () => {
    const { skills } = engine()
    const { stage } = await settle(engine())
    const deployment = newDeployment(stage, '1.1.0')
    const foreign = { ...stage, tenant: newId('tenant') }
    await expect(activate(engine(), foreign, deployment)).rejects.toMatchObject({ code: 'not_found' })
    await skills.deleteStage(stage.tenant, stage.id, NOTE)
    await expect(activate(engine(), stage, deployment)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a rollback leaves the say to a newer upload that waits', async () => {
    const { skills } = engine()
    const { tenant, skill, stage, deployment } = await settle(engine())
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    await skills.receiveUpload(upload.id, now(), NOTE)
    const waiting = (await skills.findStage(tenant, skill.id, 'prod'))!
    const after = await activate(engine(), waiting, deployment, { kind: 'rollback' })
    expect(after).toMatchObject({ state: 'validating', upload: upload.id })
  })

  test('versions are listed by precedence, highest first, in pages', async () => {
    const { skills } = engine()
    const { tenant, skill, stage } = await settle(engine())
    let present = stage
    for (const version of ['1.0.1', '1.10.0', '1.9.0', '2.0.0-rc.2', '2.0.0', '2.0.0-rc.10', '0.9.9']) {
      present = await activate(engine(), present, newDeployment(stage, version))
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await skills.listVersions(tenant, skill.id, { limit: 3, cursor })
      seen.push(...page.items.map(({ version }) => version))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual(['2.0.0', '2.0.0-rc.10', '2.0.0-rc.2', '1.10.0', '1.9.0', '1.0.1', '1.0.0', '0.9.9'])
    expect((await skills.listVersions(newId('tenant'), skill.id, { limit: 3 })).items).toEqual([])
  })

  test('a skill may use the same version numbers and packages as another', async () => {
    const first = await settle(engine())
    const second = await settle(engine(), first.tenant, 'second')
    expect(versionOf(second.deployment).version).toBe('1.0.0')
    expect(await engine().skills.findVersion(first.tenant, second.skill.id, '1.0.0')).not.toBeNull()
  })
}
