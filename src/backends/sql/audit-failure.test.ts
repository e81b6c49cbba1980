import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import {
  type Place,
  SUCCEEDED,
  newApiKey,
  newDeployment,
  newNote,
  newSigningKey,
  newPackage,
  newRun,
  newSkill,
  newTenant,
  newUpload,
  settle,
  versionOf,
} from '../contract/engine-fixtures.ts'
import {
  ANY_ROOM,
  type HookedPlace,
  delivered,
  newAttempt,
  newSecret,
  newWebhook,
  put,
  succeed,
} from '../contract/webhook-fixtures.ts'
import { newLink } from '../contract/links-contract.ts'
import { newSchedule, putSchedule } from '../contract/schedule-fixtures.ts'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

let folder: string
let engine: Engine
let disk: DatabaseSync
let place: Place
let hooked: HookedPlace
const ids = {
  delivery: '',
  key: '',
  link: '',
  letter: '',
  grant: newId('grant'),
  secret: newId('secret'),
  run: '',
  upload: '',
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-audit-failure-'))
  engine = await openSqliteEngine({ folder })
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  place = await settle(engine, tenant.id)
  ids.key = key.id
  const note = newNote(tenant.id, 'grant.create')
  await engine.access.createGrant(grant(), note)
  await engine.secrets.createSecret(secret(ids.secret, 'known'), note)
  const { link, hash: linkHash } = newLink(place.tenant)
  ids.link = link.id
  await engine.links.createLink(link, linkHash, note)
  hooked = { ...place, secret: await newSecret(engine, place.tenant) }
  await put(engine, hooked)
  await succeed(engine, hooked)
  const [claim] = await engine.webhooks.takeDeliveries(1, 1000, ANY_ROOM)
  ids.delivery = claim!.delivery.id
  await engine.webhooks.finishAttempt(ids.delivery, claim!.token, newAttempt(), delivered())
  await putSchedule(engine, place)
  const letter = newRun(place)
  ids.letter = letter.id
  await engine.runs.admit(letter, 'default', note)
  const [lost] = await engine.runs.take('default', 1, 1000)
  const failed = { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null, dead_letter: true } as const
  await engine.runs.finish(letter.id, lost!.token, failed)
  const run = newRun(place)
  ids.run = run.id
  await engine.runs.admit(run, 'default', note)
  const upload = newUpload(place.stage)
  ids.upload = upload.id
  await engine.skills.createUpload(upload, note)
  place = { ...place, stage: (await engine.skills.findStage(tenant.id, place.skill.id, 'prod'))! }
  disk = new DatabaseSync(join(folder, DATABASE_FILE))
  // The disk is full for the audit log alone.
  disk.exec(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no row can be written'); END`)
})
afterAll(async () => {
  disk.close()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const grant = () => ({
  id: ids.grant,
  tenant: place.tenant,
  principal: 'key_x',
  allowed_skills: ['*'],
  stages: null,
  expires_at: null,
  created_by: 'key_1',
  created_at: now(),
})

const secret = (id: string, name: string) => ({
  id,
  tenant: place.tenant,
  name,
  kind: 'value' as const,
  path: `agent-runner/dev/tenant/${place.tenant}/secrets/${id}`,
  revision: 1,
  created_by: 'key_1',
  created_at: now(),
  updated_at: now(),
})

/** Every row of every table. */
function everything(): Record<string, unknown[]> {
  const tables = disk.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all() as { name: string }[]
  return Object.fromEntries(tables.map(({ name }) => [name, disk.prepare(`SELECT * FROM ${name}`).all()]))
}

const VERBS: Record<string, (note: ReturnType<typeof newNote>) => Promise<unknown>> = {
  createTenant: (note) => {
    const { tenant, key, hash } = newTenant()
    return engine.access.createTenant(tenant, key, hash, note)
  },
  updateTenant: (note) => engine.access.updateTenant(place.tenant, { suspended: true }, note),
  createKey: (note) => {
    const { key, hash } = newApiKey(place.tenant)
    return engine.access.createKey(key, hash, note)
  },
  revokeKey: (note) => engine.access.revokeKey(place.tenant, ids.key, now(), note),
  createGrant: (note) => engine.access.createGrant({ ...grant(), id: newId('grant') }, note),
  deleteGrant: (note) => engine.access.deleteGrant(place.tenant, ids.grant, note),
  createLink: (note) => {
    const { link, hash } = newLink(place.tenant)
    return engine.links.createLink(link, hash, note)
  },
  revokeLink: (note) => engine.links.revokeLink(place.tenant, ids.link, now(), note),
  createSecret: (note) => engine.secrets.createSecret(secret(newId('secret'), 'new'), note),
  reviseSecret: (note) => engine.secrets.reviseSecret(place.tenant, ids.secret, 1, now(), note),
  deleteSecret: (note) => engine.secrets.deleteSecret(place.tenant, ids.secret, note),
  putSchedule: (note) => engine.schedules.putSchedule(newSchedule(place, { enabled: false }), null, 1, note),
  deleteSchedule: (note) => engine.schedules.deleteSchedule(place.tenant, place.stage.id, note),
  putWebhook: (note) => engine.webhooks.putWebhook(newWebhook(hooked, { enabled: false }), 1, note),
  deleteWebhook: (note) => engine.webhooks.deleteWebhook(place.tenant, place.stage.id, note),
  redeliver: (note) => engine.webhooks.redeliver(place.tenant, ids.delivery, note),
  putQuota: (note) => engine.quotas.putQuota(place.tenant, { kind: 'tenant' }, { runs_per_day: 1 }, note),
  createSkill: (note) => engine.skills.createSkill(newSkill(place.tenant, 'other'), note),
  updateSkill: (note) => engine.skills.updateSkill(place.tenant, place.skill.id, { description: 'x' }, note),
  deleteSkill: (note) => engine.skills.deleteSkill(place.tenant, place.skill.id, note),
  'putStage, new': (note) => engine.skills.putStage(place.tenant, place.skill.id, 'dev', {}, undefined, note),
  putStage: (note) => engine.skills.putStage(place.tenant, place.skill.id, 'prod', { size: 'S' }, undefined, note),
  publish: (note) =>
    engine.catalogue.publish({
      skill: place.skill,
      create: false,
      package: newPackage('sha256:new'),
      version: { ...versionOf(place.deployment), id: newId('version'), version: '7.0.0', digest: 'sha256:new' },
      note,
    }),
  withdraw: async (note) => {
    const { items } = await engine.catalogue.versions(place.tenant, place.skill.id, { limit: 1 })
    return engine.catalogue.withdraw(place.tenant, place.skill.id, items[0]!.id, note)
  },
  addSigningKey: (note) =>
    engine.signing.addSigningKey({ ...newSigningKey(place.tenant), id: 'ed25519-2' }, 'path', null, note),
  deleteStage: (note) => engine.skills.deleteStage(place.tenant, place.stage.id, note),
  createUpload: (note) => engine.skills.createUpload(newUpload(place.stage), note),
  receiveUpload: (note) => engine.skills.receiveUpload(ids.upload, now(), note),
  activate: (note) => {
    const deployment = newDeployment(place.stage, '2.0.0')
    const { tenant, skill, digest, created_by, created_at } = deployment
    const version = { id: newId('version'), tenant, skill, version: '2.0.0', digest, created_by, created_at }
    return engine.skills.activate({
      stage: place.stage,
      deployment,
      version,
      kind: 'deploy',
      by: 'key_1',
      at: now(),
      upload: null,
      note,
    })
  },
  admit: (note) => engine.runs.admit(newRun(place), 'default', note),
  'admit and take': (note) => engine.runs.admit(newRun(place), 'default', note, { take: { leaseMs: 1000 } }),
  'admit, of a dead letter': (note) => engine.runs.admit(newRun(place, { replay_of: ids.letter }), 'default', note),
  dismiss: (note) => engine.runs.dismiss(place.tenant, ids.letter, note),
  'setPaused, tenant': (note) => engine.queues.setPaused(place.tenant, null, true, note),
  'setPaused, stage': (note) => engine.queues.setPaused(place.tenant, place.stage.id, true, note),
  cancel: (note) => engine.runs.cancel(place.tenant, ids.run, note),
}

test.each(Object.keys(VERBS))('what cannot be audited is not done: %s', async (verb) => {
  const before = everything()
  await expect(VERBS[verb]!(newNote(place.tenant, 'skill.update'))).rejects.toThrow('no row can be written')
  expect(everything()).toEqual(before)
})
