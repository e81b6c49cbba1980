import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Stage } from '../../model/skills.ts'
import type { Engine } from '../ports.ts'
import { NOTE, activate, newDeployment, newPackage, newUpload, settle } from './engine-fixtures.ts'

export function uploadsContract(engine: () => Engine): void {
  async function emptyStage(): Promise<Stage> {
    const { tenant, skill } = await settle(engine())
    return engine().skills.putStage(tenant, skill.id, 'dev', null, undefined, NOTE)
  }
  async function stageNow({ tenant, skill, id }: Stage): Promise<Stage> {
    return (await engine().skills.findStage(tenant, skill, id))!
  }
  const FINDING = {
    rule: 'python.eval',
    severity: 'deny',
    message: 'No.',
    file: 'main.py',
    line: 3,
    column: null,
    fix: 'Drop.',
  } as const

  test('an upload becomes the newest of its stage', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    expect(await skills.findUpload(stage.tenant, upload.id)).toEqual(upload)
    expect(await skills.findUploadById(upload.id)).toEqual(upload)
    expect(await skills.findUpload(newId('tenant'), upload.id)).toBeNull()
    expect(await stageNow(stage)).toMatchObject({ state: 'empty', upload: upload.id, revision: stage.revision + 1 })
    await expect(skills.createUpload(newUpload({ ...stage, id: newId('stage') }), NOTE)).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(skills.createUpload(newUpload({ ...stage, tenant: newId('tenant') }), NOTE)).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('an accepted upload makes its stage ready to deploy and keeps the package', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    expect(await skills.receiveUpload(upload.id, now(), NOTE)).toMatchObject({ state: 'received' })
    expect(await stageNow(stage)).toMatchObject({ state: 'validating' })
    await skills.stepUpload(upload.id, 'scanning')
    expect(await skills.findUpload(stage.tenant, upload.id)).toMatchObject({ state: 'validating', step: 'scanning' })
    const accepted = newPackage('sha256:1')
    const at = now()
    const warning = { ...FINDING, severity: 'warn' } as const
    const finished = await skills.finishUpload(upload.id, { findings: [warning], package: accepted, at })
    expect(finished).toEqual({
      ...upload,
      state: 'accepted',
      findings: [warning],
      digest: 'sha256:1',
      finished_at: at,
    })
    expect(await stageNow(stage)).toMatchObject({ state: 'ready_to_deploy', upload: upload.id })
    expect(await skills.findPackage(stage.tenant, 'sha256:1')).toEqual(accepted)
    expect(await skills.findPackage(newId('tenant'), 'sha256:1')).toBeNull()
  })

  test('a package that was built anew for another runtime takes the place of what there was', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const first = newPackage('sha256:1')
    const same = { ...first, bundle_blob: 'c'.repeat(64) }
    const other = { ...same, runtime: 'python3.13' }
    for (const [accepted, kept] of [
      [first, first],
      [same, first],
      [other, other],
    ] as const) {
      const upload = newUpload(stage)
      await skills.createUpload(upload, NOTE)
      await skills.receiveUpload(upload.id, now(), NOTE)
      await skills.finishUpload(upload.id, { findings: [], package: accepted, at: now() })
      expect(await skills.findPackage(stage.tenant, 'sha256:1')).toEqual(kept)
    }
  })

  test('a rejected upload fails the validation of its stage, which goes on serving', async () => {
    const { skills } = engine()
    const { tenant, stage, deployment } = await settle(engine())
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    expect(await stageNow(stage)).toMatchObject({ state: 'active' })
    await skills.receiveUpload(upload.id, now(), NOTE)
    const ended = await skills.finishUpload(upload.id, { findings: [FINDING], package: null, at: now() })
    expect(ended).toMatchObject({ state: 'rejected', findings: [FINDING], digest: null })
    expect(await stageNow(stage)).toMatchObject({ state: 'validation_failed', deployment: deployment.id })
    expect(await skills.findUpload(tenant, upload.id)).toMatchObject({ state: 'rejected' })
  })

  test('an upload is received once and in time', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    const ends = await Promise.allSettled([1, 2, 3].map(() => skills.receiveUpload(upload.id, now(), NOTE)))
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const end of ends) if (end.status === 'rejected') expect(end.reason.code).toBe('upload_repeated')
    const late = newUpload(stage, { expires_at: '2020-01-01T00:00:00.000Z' })
    await skills.createUpload(late, NOTE)
    await expect(skills.receiveUpload(late.id, now(), NOTE)).rejects.toMatchObject({ code: 'upload_expired' })
    await expect(skills.receiveUpload(newId('upload'), now(), NOTE)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('an upload that is not the newest any more leaves its stage alone', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const older = newUpload(stage)
    const newer = newUpload(stage)
    await skills.createUpload(older, NOTE)
    await skills.receiveUpload(older.id, now(), NOTE)
    await skills.createUpload(newer, NOTE)
    const before = await stageNow(stage)
    await skills.finishUpload(older.id, { findings: [], package: newPackage('sha256:1'), at: now() })
    expect(await stageNow(stage)).toEqual(before)
  })

  test('only the first result of a validation counts, and a later step changes nothing', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    await skills.receiveUpload(upload.id, now(), NOTE)
    const first = await skills.finishUpload(upload.id, { findings: [FINDING], package: null, at: now() })
    await skills.stepUpload(upload.id, 'building')
    const again = await skills.finishUpload(upload.id, { findings: [], package: newPackage('sha256:1'), at: now() })
    expect(again).toEqual(first)
    expect(await stageNow(stage)).toMatchObject({ state: 'validation_failed' })
  })

  test('the unfinished ones are those that arrived and have no result', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const [pending, received, validating, finished] = [1, 2, 3, 4].map(() => newUpload(stage))
    for (const upload of [pending!, received!, validating!, finished!]) await skills.createUpload(upload, NOTE)
    for (const upload of [received!, validating!, finished!]) await skills.receiveUpload(upload.id, now(), NOTE)
    await skills.stepUpload(validating!.id, 'checking')
    await skills.finishUpload(finished!.id, { findings: [], package: null, at: now() })
    const ids = (await skills.unfinishedUploads()).map(({ id }) => id)
    expect(ids.sort()).toEqual([received!.id, validating!.id].sort())
  })

  test('a deployment consumes the upload it came of', async () => {
    const { skills } = engine()
    const stage = await emptyStage()
    const upload = newUpload(stage)
    await skills.createUpload(upload, NOTE)
    await skills.receiveUpload(upload.id, now(), NOTE)
    await skills.finishUpload(upload.id, { findings: [], package: newPackage('sha256:1.0.1'), at: now() })
    const ready = await stageNow(stage)
    const deployed = await activate(engine(), ready, newDeployment(ready, '1.0.1'), { upload: upload.id })
    expect(deployed).toMatchObject({ state: 'active', upload: null })
  })
}
