import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Place, newRun, newTenant, settle } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { DATABASE_FILE, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { SkilletError } from '../model/errors.ts'
import type { Deployment } from '../model/skills.ts'
import { NO_SECRETS, type ResolveSecrets, handOut } from './run-secrets.ts'

const VALUE = 'the value itself'
const GIVEN = { env: { TOKEN: VALUE }, connections: {}, variant: 'sec_1:1', redactor: null, ids: ['sec_1'] }

let folder: string
let engine: Engine
let place: Place
let faults: unknown[]
let asked: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-run-secrets-'))
  engine = await openSqliteEngine({ folder })
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  place = await settle(engine, tenant.id)
  faults = []
  asked = 0
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

function ask(refs: Record<string, string>, resolve: ResolveSecrets, created_by: string = 'key_1') {
  const deployment: Deployment = { ...place.deployment, config: { ...place.deployment.config, secret_refs: refs } }
  const run = newRun(place, { created_by })
  const counted: ResolveSecrets = (...args) => {
    asked++
    return resolve(...args)
  }
  return handOut({ audit: engine.audit, resolve: counted, onError: (error) => faults.push(error) }, run, deployment)
}
const uses = async () => (await engine.audit.list(place.tenant, { limit: 10, action: 'secret.use' })).items

test('the log says who got which secrets before they are handed out, and not what they are', async () => {
  expect(await ask({ TOKEN: 'sec_1' }, () => Promise.resolve(GIVEN))).toEqual(GIVEN)
  const [use, ...more] = await uses()
  expect(more).toEqual([])
  expect(use).toMatchObject({ actor_kind: 'key', actor: 'key_1', target_kind: 'run', outcome: 'done' })
  expect(use!.detail).toMatchObject({ secrets: { TOKEN: 'sec_1' } })
  expect(JSON.stringify(use)).not.toContain(VALUE)
})

test.each([
  ['key_1', 'key'],
  ['oidc:idp:ann', 'token'],
  ['schedule:stg_1', 'system'],
])('%s uses them as a %s', async (created_by, kind) => {
  await ask({ TOKEN: 'sec_1' }, () => Promise.resolve(GIVEN), created_by)
  expect(await uses()).toMatchObject([{ actor: created_by, actor_kind: kind }])
})

test('a run without secrets asks for nothing and is not written down', async () => {
  expect(await ask({}, () => Promise.resolve(GIVEN))).toBe(NO_SECRETS)
  expect(asked).toBe(0)
  expect(await uses()).toEqual([])
})

test('without a row in the log there are no secrets, and the run is told which it lacks', async () => {
  const disk = new DatabaseSync(join(folder, DATABASE_FILE))
  disk.exec(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no row can be written'); END`)
  disk.close()
  const refused = await ask({ TOKEN: 'sec_1', DB: 'sec_2' }, () => Promise.resolve(GIVEN))
  expect(refused).toContain('TOKEN (sec_1), DB (sec_2)')
  expect(refused).not.toContain(VALUE)
  expect(asked).toBe(1)
  expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining('no row can be written') })])
})

test('what cannot be had is named; only faults of the server are told to its operator', async () => {
  const gone = new SkilletError('secret_unknown', 'The secrets of TOKEN were deleted.')
  expect(await ask({ TOKEN: 'sec_1' }, () => Promise.reject(gone))).toBe(
    'The run did not get its secrets TOKEN (sec_1). The secrets of TOKEN were deleted.',
  )
  expect(faults).toEqual([])
  const vault = new SkilletError('vault_unavailable', 'The vault has lost a value.')
  expect(await ask({ TOKEN: 'sec_1' }, () => Promise.reject(vault))).toContain('TOKEN (sec_1)')
  const fault = new Error(`disk error near ${VALUE}`)
  expect(await ask({ TOKEN: 'sec_1' }, () => Promise.reject(fault))).not.toContain(VALUE)
  expect(faults).toEqual([vault, fault])
  expect(await uses()).toEqual([])
})

test('many references are not all named', async () => {
  const refs = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`N${i}`, `sec_${i}`]))
  const refused = await ask(refs, () => Promise.reject(new SkilletError('secret_unknown', 'Gone.')))
  expect(refused).toContain('N9 (sec_9) and 2 more. Gone.')
})
