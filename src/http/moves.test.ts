import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Deployment, Stage } from '../model/skills.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
beforeAll(async () => void (server = await startTestServer()))
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const stage = (skill: string, name = 'dev'): string => `/api/skills/${skill}/stages/${name}`

type Moved = Deployment & { code: string }
const back = (skill: string, request?: object) => server.call<Moved>('POST', `${stage(skill)}/rollback`, request)
const promote = (skill: string, request: object, from = 'dev') =>
  server.call<Moved>('POST', `${stage(skill, from)}/promote`, request)

test('a rollback goes back step by step, and to what is named', async () => {
  const ids: string[] = []
  for (const n of [1, 2, 3]) ids.push((await server.deploy('steps', 'dev', packageOf(`steps ${n}`))).id)
  const [one, two, three] = ids as [string, string, string]
  expect((await back('steps')).body.id).toBe(two)
  expect(server.activations.at(-1)).toMatchObject({ deployment: { id: two }, previous: three })
  expect((await back('steps', {})).body.id).toBe(one)
  const over = await back('steps')
  expect([over.status, over.body.code]).toEqual([409, 'nothing_to_roll_back'])
  expect((await back('steps', { version: '3.0.0' })).body.id).toBe(three)
  expect((await back('steps')).body.id).toBe(two)
  expect((await back('steps', { deployment: one })).body.id).toBe(one)
  expect((await back('steps', { deployment: one })).body.code).toBe('nothing_to_roll_back')
  expect((await back('steps', { version: '9.9.9' })).body.code).toBe('not_found')
  const { id: elsewhere } = await server.deploy('steps', 'other', packageOf('steps elsewhere'))
  expect((await back('steps', { deployment: elsewhere })).body.code).toBe('not_found')
  const history = await server.call<{ items: { kind: string; deployment: string }[] }>(
    'GET',
    `${stage('steps')}/history`,
  )
  expect(history.body.items.map(({ kind, deployment }) => [kind, deployment])).toEqual([
    ['rollback', one],
    ['rollback', two],
    ['rollback', three],
    ['rollback', one],
    ['rollback', two],
    ['deploy', three],
    ['deploy', two],
    ['deploy', one],
  ])
})

test("a promotion takes the same version and build with the other stage's configuration", async () => {
  const source = await server.deploy('promoted', 'dev', packageOf('promoted 1'))
  await server.call('PUT', stage('promoted', 'prod'), { config: { size: 'XL', env: { MODE: 'prod' } } })
  const { status, body } = await promote('promoted', { to: 'prod' })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    version: source.version,
    digest: source.digest,
    bundle_blob: source.bundle_blob,
    config: { size: 'XL', timeout_s: 28_800, env: { MODE: 'prod' } },
    origin: 'promote',
    promoted_from: source.id,
  })
  expect((await server.call('GET', `${stage('promoted', 'prod')}/deployment`)).body).toEqual(body)
  expect((await promote('promoted', { to: 'fresh' })).body.version).toBe('1.0.0')
  expect((await server.call<Stage>('GET', stage('promoted', 'fresh'))).body.state).toBe('active')
})

test('a promotion leaves an upload that waits on the other stage, and refuses what cannot be', async () => {
  await server.deploy('waiting', 'dev', packageOf('waiting 1'))
  const id = await server.upload('waiting', 'prod', packageOf('waiting 2'))
  expect((await promote('waiting', { to: 'prod' })).status).toBe(201)
  expect((await server.call<Stage>('GET', stage('waiting', 'prod'))).body).toMatchObject({
    upload: id,
    state: 'ready_to_deploy',
  })
  expect((await promote('waiting', { to: 'dev' })).body.code).toBe('bad_request')
  await server.call('PUT', stage('waiting', 'bare'), {})
  expect((await promote('waiting', { to: 'prod' }, 'bare')).body.code).toBe('stage_not_active')
  expect((await promote('waiting', { to: 'bare', revision: 999 })).body.code).toBe('stage_changed')
  expect((await promote('waiting', { to: 'Bad Name' })).body.code).toBe('bad_request')
})

test('a version that there is already is served on any stage, by any of its names', async () => {
  const serve = (name: string, request: object) => server.call<Moved>('POST', `${stage('served', name)}/serve`, request)
  const [one, two] = [1, 2].map((n) => packageOf(`served ${n}`))
  await server.deploy('served', 'dev', one!)
  const { id } = await server.deploy('served', 'dev', two!)
  expect((await serve('dev', { version: 'latest' })).body).toMatchObject({ id, version: '2.0.0' })
  await server.call('PUT', stage('served', 'prod'), { config: { size: 'L' } })
  const { body: prod } = await serve('prod', { version: '1.0.0' })
  expect(prod).toMatchObject({ version: '1.0.0', digest: one!.digest, config: { size: 'L' }, promoted_from: null })
  expect((await serve('new', { version: 'prod' })).body).toMatchObject({ version: '1.0.0', digest: one!.digest })
  const { body: made } = await server.call<Stage>('GET', stage('served', 'new'))
  expect((await serve('new', { version: '2', revision: made.revision - 1 })).body.code).toBe('stage_changed')
  expect((await serve('new', { version: '2', revision: made.revision })).body.version).toBe('2.0.0')
  expect((await serve('dev', { version: '3.0.0' })).body.code).toBe('not_found')
  expect((await serve('No_Name', { version: '1' })).body.code).toBe('not_found')
  expect((await serve('dev', {})).status).toBe(400)
  const { body: before } = await server.call<Moved>('POST', `${stage('served', 'new')}/rollback`, { version: 'prod' })
  expect([before.version, before.stage]).toEqual(['1.0.0', made.id])
})
