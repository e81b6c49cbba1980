import { createHash } from 'node:crypto'
import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  activate,
  newDeployment,
  newNote,
  newPackage,
  newUpload,
  settle,
} from '../backends/contract/engine-fixtures.ts'
import { openMasterKeys } from '../backends/disk/master-key.ts'
import { now } from '../model/json.ts'
import type { Deployment } from '../model/skills.ts'
import { BackedUpState } from './fixtures/backed-up-state.ts'
import { type SweeperParts, createSweeper } from './sweeper.ts'

let state: BackedUpState
beforeEach(async () => {
  state = await BackedUpState.make()
})
afterEach(async () => {
  expect(state.faults).toEqual([])
  await state.remove()
})

const sweeper = (change: Partial<SweeperParts> = {}) =>
  createSweeper({
    store: state.engine.upkeep,
    blobs: state.blobs.shelves,
    onSwept: () => {},
    onError: (error) => state.faults.push(error),
    ...change,
  })

test('blobs that nothing refers to are removed, also files that no row ever knew, once they are old enough', async () => {
  const [used, bundle, orphan] = [await state.put('package'), await state.put('bundle'), await state.put('of a crash')]
  const { stage } = await settle(state.engine)
  const upload = newUpload(stage, { sha256: used })
  await state.engine.skills.createUpload(upload, newNote(stage.tenant, 'upload.create'))
  await state.engine.skills.receiveUpload(upload.id, now(), newNote(stage.tenant, 'upload.receive'))
  const package_ = { ...newPackage('sha256:1'), archive_blob: used, bundle_blob: bundle }
  await state.engine.skills.finishUpload(upload.id, { findings: [], package: package_, at: now() })
  expect(await sweeper().sweep()).toEqual({})
  expect(await sweeper({ graceMs: -1000 }).sweep()).toEqual({ blobs: 1 })
  expect(await Promise.all([used, bundle, orphan].map((blob) => state.blobs.has(blob)))).toEqual([true, true, false])
})

test('what a stage served before its package was built anew for another runtime is there to roll back to, also in a backup', async () => {
  const { skills } = state.engine
  const [archive, before, after] = [
    await state.put('package'),
    await state.put('for 3.11'),
    await state.put('for 3.13'),
  ]
  const { stage, tenant, skill } = await settle(state.engine)
  const served = async (bundle_blob: string, runtime: string): Promise<Deployment> => {
    const present = (await skills.findStage(tenant, skill.id, stage.name))!
    const upload = newUpload(present, { sha256: archive })
    await skills.createUpload(upload, newNote(tenant, 'upload.create'))
    await skills.receiveUpload(upload.id, now(), newNote(tenant, 'upload.receive'))
    const package_ = { ...newPackage('sha256:1'), archive_blob: archive, bundle_blob, runtime }
    await skills.finishUpload(upload.id, { findings: [], package: package_, at: now() })
    const deployment = { ...newDeployment(stage, '7.0.0', 'sha256:1'), bundle_blob, runtime }
    await activate(state.engine, (await skills.findStage(tenant, skill.id, stage.name))!, deployment)
    return deployment
  }
  const first = await served(before, 'python3.11')
  await served(after, 'python3.13')
  expect(await skills.findPackage(tenant, 'sha256:1')).toMatchObject({ bundle_blob: after })
  expect(await sweeper({ graceMs: -1000 }).sweep()).toEqual({})
  expect(await Promise.all([archive, before, after].map((blob) => state.blobs.has(blob)))).toEqual([true, true, true])
  expect(await skills.findDeployment(tenant, first.id)).toEqual(first)
  const backup = await readFile(await state.backup(), 'latin1')
  for (const content of ['for 3.11', 'for 3.13']) expect(backup).toContain(content)
})

test('while blobs are held none is removed; afterwards they are', async () => {
  await state.put('of a crash')
  const one = sweeper({ graceMs: -1000 })
  const releases = [await one.hold(), await one.hold()]
  expect(await one.sweep()).toEqual({})
  releases[0]!()
  releases[0]!()
  expect(await one.sweep()).toEqual({})
  releases[1]!()
  expect(await one.sweep()).toEqual({ blobs: 1 })
})

test('a real upload of the same bytes, at whatever moment of a sweep, finds its blob', async () => {
  const { stage } = await settle(state.engine)
  const sha256 = createHash('sha256').update('the same').digest('hex')
  const path = join(state.data, 'blobs', sha256.slice(0, 2), sha256.slice(2))
  await state.put('the same')
  const one = sweeper({ graceMs: 60_000 })
  let removed = 0
  for (let i = 0; i < 40; i++) {
    if (await state.blobs.has(sha256)) await utimes(path, 1, 1)
    const upload = newUpload(stage, { sha256 })
    await state.engine.skills.createUpload(upload, newNote(stage.tenant, 'upload.create'))
    const receive = async (): Promise<void> => {
      for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve))
      await state.put('the same')
      await state.engine.skills.receiveUpload(upload.id, now(), newNote(stage.tenant, 'upload.receive'))
    }
    const [swept] = await Promise.all([one.sweep(), receive()])
    removed += swept.blobs ?? 0
    expect(await state.blobs.has(sha256)).toBe(true)
    await state.engine.skills.finishUpload(upload.id, { findings: [], package: null, at: now() })
  }
  expect(removed).toBeGreaterThan(0)
})

test('a value that no secret points at is removed when it was so for long enough', async () => {
  const vault = state.engine.vault(await openMasterKeys({ dataDir: state.data }))
  await vault.put('left', 1, 'by a crash')
  const patient = sweeper()
  expect(await patient.sweep()).toEqual({})
  expect(await patient.sweep()).toEqual({})
  const hasty = sweeper({ graceMs: 0 })
  expect(await hasty.sweep()).toEqual({})
  expect(await hasty.sweep()).toEqual({ secrets: 1 })
  await expect(vault.get('left', 1)).rejects.toThrow('no revision 1')
})
