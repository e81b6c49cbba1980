import { expect, test } from 'vitest'
import { now } from '../../model/json.ts'
import type { Engine } from '../ports.ts'
import type { TenantSweep } from '../upkeep-ports.ts'
import {
  LONG,
  NOTE,
  SUCCEEDED,
  activate,
  admit,
  newDeployment,
  newNote,
  newPackage,
  newRun,
  newUpload,
  settle,
} from './engine-fixtures.ts'

/** Everything that is over by now is older. */
const later = (): number => Date.now() + 60_000

export function upkeepContract(engine: () => Engine): void {
  /** All steps of one kind. */
  async function sweep(kind: TenantSweep, tenant: string, before: number = later()): Promise<number> {
    let [removed, from]: [number, string | null] = [0, null]
    for (;;) {
      const step = await engine().upkeep.sweep(kind, tenant, before, from)
      removed += step.removed
      if (step.next === null) return removed
      from = step.next
    }
  }

  /** So many runs, all over. */
  async function over(place: Awaited<ReturnType<typeof settle>>, count: number): Promise<string[]> {
    const ids = await Promise.all(Array.from({ length: count }, () => admit(engine().runs, place)))
    for (const { run, token } of await engine().runs.take('default', count, LONG)) {
      await engine().runs.finish(run.id, token, SUCCEEDED)
    }
    return ids
  }

  test('runs that are over are removed with all that is theirs; live ones and those of others stay', async () => {
    const { runs } = engine()
    const [place, other] = [await settle(engine()), await settle(engine())]
    const old = await over(place, 3)
    const [kept] = await over(other, 1)
    const queued = await admit(runs, place)
    expect(await sweep('runs', place.tenant)).toBe(3)
    for (const id of old) {
      expect(await runs.find(place.tenant, id)).toBeNull()
      expect(await runs.events(place.tenant, id, 0, 10)).toEqual([])
    }
    expect((await runs.list(place.tenant, { limit: 10 })).items.map(({ id }) => id)).toEqual([queued])
    expect(await runs.find(other.tenant, kept!)).toMatchObject({ status: 'succeeded', output: { answer: 42 } })
    expect((await runs.take('default', 5, LONG)).map(({ run }) => run.id)).toEqual([queued])
  })

  test('runs that ended since stay, however long ago they began', async () => {
    const place = await settle(engine())
    const [id] = await over(place, 1)
    await admit(engine().runs, place)
    const { finished_at } = (await engine().runs.find(place.tenant, id!))!
    expect(await sweep('runs', place.tenant, Date.parse(finished_at!))).toBe(0)
    expect(await sweep('runs', place.tenant, Date.parse(finished_at!) + 1)).toBe(1)
  })

  test('many are removed in many steps', async () => {
    const place = await settle(engine())
    await over(place, 450)
    await admit(engine().runs, place)
    const first = await engine().upkeep.sweep('runs', place.tenant, later(), null)
    expect(first.removed).toBeGreaterThan(0)
    expect(first.removed).toBeLessThanOrEqual(200)
    expect(first.removed + (await sweep('runs', place.tenant))).toBe(450)
  })

  test('the run with the newest event of all stays, so that no number is given twice', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const [first, last] = [await over(place, 1), await over(place, 1)]
    expect(await sweep('runs', place.tenant)).toBe(1)
    expect(await runs.find(place.tenant, first[0]!)).toBeNull()
    expect(await runs.events(place.tenant, last[0]!, 0, 10)).toHaveLength(3)
    await admit(runs, place)
    expect(await sweep('runs', place.tenant)).toBe(1)
  })

  test('a deleted skill goes when none of its runs is left, with its versions and what they served', async () => {
    const { skills, upkeep } = engine()
    const place = await settle(engine())
    const { tenant, skill, stage, deployment } = place
    await over(place, 1)
    await admit(engine().runs, await settle(engine()))
    expect(await sweep('skills', tenant)).toBe(0)
    await skills.deleteSkill(tenant, skill.id, newNote(tenant, 'skill.delete'))
    expect(await sweep('skills', tenant, Date.parse('2020-01-01'))).toBe(0)
    expect(await sweep('skills', tenant)).toBe(0)
    expect(await skills.findDeployment(tenant, deployment.id)).toEqual(deployment)
    const other = 'c'.repeat(64)
    const again = await settle(engine(), tenant)
    await activate(engine(), again.stage, { ...newDeployment(again.stage, '2.0.0'), bundle_blob: other })
    expect(await sweep('runs', tenant)).toBe(1)
    expect(await sweep('skills', tenant)).toBe(3)
    expect(await skills.findDeployment(tenant, deployment.id)).toBeNull()
    expect((await skills.listVersions(tenant, skill.id, { limit: 5 })).items).toEqual([])
    expect(await skills.findStage(tenant, again.skill.id, 'prod')).toMatchObject({ id: again.stage.id })
    expect(await upkeep.unusedBlobs([other])).toEqual([])
    expect(stage.id).not.toBe(again.stage.id)
  })

  test('uploads go, but for the newest of a stage and what is being validated', async () => {
    const { skills } = engine()
    const { tenant, stage } = await settle(engine())
    const uploads = [1, 2, 3].map(() => newUpload(stage))
    for (const upload of uploads) await skills.createUpload(upload, NOTE)
    const [refused, validating, newest] = uploads.map(({ id }) => id) as [string, string, string]
    for (const id of [refused, validating]) await skills.receiveUpload(id, now(), NOTE)
    await skills.finishUpload(refused, { findings: [], package: null, at: now() })
    expect(await sweep('uploads', tenant)).toBe(1)
    expect(await skills.findUpload(tenant, refused)).toBeNull()
    expect((await skills.unfinishedUploads()).map(({ id }) => id)).toEqual([validating])
    expect(await skills.findUpload(tenant, newest)).toMatchObject({ state: 'pending' })
  })

  test('packages stay as long as a version, an upload, or one that is being validated may name them', async () => {
    const { skills } = engine()
    const { tenant, stage, skill } = await settle(engine())
    const [named, loose] = [digest('1'), digest('2')]
    await accepted(stage, named)
    await accepted(stage, loose)
    await activate(engine(), (await skills.findStage(tenant, skill.id, 'prod'))!, newDeployment(stage, '3.0.0', named))
    const running = newUpload(stage)
    await skills.createUpload(running, NOTE)
    await skills.receiveUpload(running.id, now(), NOTE)
    expect(await sweep('packages', tenant)).toBe(0)
    expect(await sweep('uploads', tenant)).toBe(2)
    expect(await sweep('packages', tenant)).toBe(0)
    const package_ = (await skills.findPackage(tenant, loose))!
    await skills.finishUpload(running.id, { findings: [], package: package_, at: now() })
    expect(await sweep('packages', tenant)).toBe(0)
    await skills.createUpload(newUpload(stage), NOTE)
    expect(await sweep('uploads', tenant)).toBe(1)
    expect(await sweep('packages', tenant)).toBe(1)
    expect(await skills.findPackage(tenant, loose)).toBeNull()
    expect(await skills.findPackage(tenant, named)).not.toBeNull()
  })

  test('a blob is used by packages, deployments and what is being validated, and by nothing else', async () => {
    const { skills, upkeep } = engine()
    const { stage, deployment } = await settle(engine())
    const blobs = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(64)) as [string, string, string, string, string]
    const [archive, bundle, received, refused, pending] = blobs
    await accepted(stage, digest('9'), { archive_blob: archive, bundle_blob: bundle })
    for (const sha256 of [received, refused, pending]) {
      const upload = newUpload(stage, { sha256 })
      await skills.createUpload(upload, NOTE)
      if (sha256 !== pending) await skills.receiveUpload(upload.id, now(), NOTE)
      if (sha256 === refused) await skills.finishUpload(upload.id, { findings: [], package: null, at: now() })
    }
    expect(await upkeep.unusedBlobs([...blobs, deployment.bundle_blob])).toEqual([refused, pending])
    expect(await upkeep.unusedBlobs([])).toEqual([])
  })

  test('idempotency keys go when they are forgotten', async () => {
    const { runs, upkeep } = engine()
    const place = await settle(engine())
    const keys = ['2100-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z'].map((expires_at, i) => {
      const idempotency = { key: `k${i}`, fingerprint: 'f', expires_at }
      return runs.admit(newRun(place), 'default', NOTE, { idempotency })
    })
    await Promise.all(keys)
    expect(await upkeep.sweepIdempotency(Date.parse('2500-01-01'))).toEqual({ removed: 1, next: null })
    expect(await upkeep.sweepIdempotency(Date.parse('2500-01-01'))).toEqual({ removed: 0, next: null })
  })

  test('every tenant is named with its days, page by page', async () => {
    const { upkeep } = engine()
    const first = await upkeep.retentions(null)
    expect(first.every(({ days }) => days === 30)).toBe(true)
    expect(await upkeep.retentions(first.at(-1)!.tenant)).toEqual([])
  })

  /** An upload that was accepted. */
  async function accepted(stage: Parameters<typeof newUpload>[0], name: string, more: object = {}): Promise<void> {
    const upload = newUpload(stage)
    await engine().skills.createUpload(upload, NOTE)
    await engine().skills.receiveUpload(upload.id, now(), NOTE)
    const package_ = { ...newPackage(name), ...more }
    await engine().skills.finishUpload(upload.id, { findings: [], package: package_, at: now() })
  }
}

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
